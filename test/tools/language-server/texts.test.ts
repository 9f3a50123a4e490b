import { expect } from 'chai';
import type { CodeAction, Hover, SignatureHelp, TextEdit } from 'vscode-languageserver-protocol';
import { edited, MARK, type Opened, textAt } from './client.js';
import { type Bench, PIPELINE, pipelineWith, startIn } from './workspace.js';

describe('language server: texts', () => {
  let bench: Bench;
  let count = 0;
  before(async () => {
    bench = await startIn();
  });
  after(async () => {
    expect(bench.client.complaints).to.deep.equal([]);
    await bench.client.stop();
    bench.folder.remove();
  });

  const opened = (marked: string): Promise<Opened> =>
    bench.client.open(bench.folder.uri(`texts-${++count}.ftp`), marked);
  const hovered = async (part: string, instead: string): Promise<string> => {
    const hover: Hover | null = await bench.client.request(
      'textDocument/hover',
      await opened(pipelineWith(part, instead)),
    );
    return hover === null ? '' : (hover.contents as { value: string }).value;
  };

  describe('hover', () => {
    it('says of a setting what it is, and what it comes to here', async () => {
      const rank = await hovered('{ rank: rank', `{ ra${MARK}nk: rank`);
      expect(rank).to.contain('`adapter.lora.rank`');
      expect(rank).to.contain('Rank of the two low-rank factors.');
      expect(rank).to.contain('a whole number, 1 to 1024 · default: `16`');
      expect(rank).to.contain('value: `8`, from a parameter');
      const length = await hovered('max_length = 64tok', `max_le${MARK}ngth = 64tok`);
      expect(length).to.contain('units: `tok`').and.contain('value: `64tok`, set here');
      expect(await hovered('warmup: 3%', `war${MARK}mup: 3%`)).to.contain('units: `steps` `%`');
    });

    it('says what functions, ports, metrics, choices and kinds are', async () => {
      const adamw = await hovered('adamw(', `ada${MARK}mw(`);
      expect(adamw).to.contain('```ftp\nadamw(rate, beta1 = 0.9').and.contain('Highest learning rate.');
      expect(await hovered('adapter.best', `adapter.be${MARK}st`)).to.contain(
        'an adapter: The best checkpoint',
      );
      expect(await hovered('require peak_memory', `require peak_${MARK}memory`)).to.contain('`GiB`');
      expect(await hovered('baseline.perplexity', `baseline.perp${MARK}lexity`)).to.contain(
        '`baseline.perplexity`',
      );
      expect(await hovered('train adapter', `tra${MARK}in adapter`)).to.contain(
        'methods: `lora` `qlora` `full`',
      );
      expect(await hovered('base: Model', `base: Mo${MARK}del`)).to.contain('a model');
      expect(await hovered('"./shared.ftp"', `"./sha${MARK}red.ftp"`)).to.contain('./shared.ftp');
    });

    it('says of a name what it is declared as, with its doc comment', async () => {
      expect(await hovered('rank: rank', `rank: r${MARK}ank`))
        .to.contain('param rank: Int = 8')
        .and.contain('Rank of every adapter.')
        .and.contain('from `shared.ftp`');
      expect(await hovered('using careful', `using car${MARK}eful`))
        .to.contain('preset careful for train using lora')
        .and.contain('Few passes.');
      expect(await hovered('from = clauses', `from = cl${MARK}auses`)).to.contain('data clauses');
    });

    it('explains what a condition refers to, here and in other stages', async () => {
      const other = await hovered('require rows >= 1', `require dialogs.ro${MARK}ws >= 1`);
      expect(other).to.contain('`dialogs.rows`').and.contain('known when it is run');
      const memory = await hovered('require peak_memory', `require adapter.peak_me${MARK}mory`);
      expect(memory).to.contain('`adapter.peak_memory`').and.contain('a size in bytes');
      expect(await hovered('baseline.perplexity', `base${MARK}line.perplexity`)).to.contain(
        'The same metrics',
      );
    });

    it('says what keywords, quantities, files, styles and rules are', async () => {
      expect(await hovered('train adapter using', `train adapter us${MARK}ing`)).to.contain(
        'Methods and presets',
      );
      expect(await hovered('require rows', `req${MARK}uire rows`)).to.contain('require CONDITION');
      expect(await hovered('8GiB', `8G${MARK}iB`)).to.equal('`8GiB`: 8,589,934,592 bytes');
      expect(await hovered('warmup: 3%', `warmup: 3${MARK}%`)).to.contain('`3%`: 0.03');
      expect(await hovered('"data/rows.jsonl"', `"data/${MARK}*.jsonl"`)).to.match(/^1 file, [\d.]+KiB$/);
      expect(await hovered('file("', `fi${MARK}le("`)).to.contain('The text of a file');
      expect(await hovered('system: file("prompts/legal.md")', `style: zep${MARK}hyr`)).to.contain(
        '`zephyr`',
      );
      const rule = await hovered('data clauses {', `// allow(no-gene${MARK}ral-mix): mine\ndata clauses {`);
      expect(rule).to.match(/^rule `no-general-mix`: /);
    });

    it('explains the mistake that is marked, and the codes that comments name', async () => {
      expect(await hovered('from = clauses', `frm${MARK} = clauses`)).to.contain('FTP0213');
      expect(await hovered('data clauses {', `// see FTP03${MARK}03\ndata clauses {`)).to.match(/FTP0303: /);
      expect(await hovered('data clauses {', `// nothing${MARK}\ndata clauses {`)).to.equal('');
    });
  });

  it('helps with the arguments of a call', async () => {
    const help = async (part: string, instead: string): Promise<SignatureHelp | null> =>
      bench.client.request('textDocument/signatureHelp', await opened(pipelineWith(part, instead)));
    const rate = await help('rate: 2e-4', `rate: ${MARK}2e-4`);
    expect(rate?.signatures[0]?.label).to.match(/^adamw\(rate, beta1 = 0\.9/);
    expect(rate?.activeParameter).to.equal(0);
    const schedule = await help('schedule: cosine', `schedule: ${MARK}cosine`);
    expect(schedule?.signatures[0]?.parameters?.[schedule.activeParameter ?? 0]?.label).to.equal('schedule?');
    const inner = await help('warmup: 3%', `warmup: ${MARK}3%`);
    expect(inner?.signatures[0]?.label).to.match(/^cosine\(/);
    const near = await help('near(0.9)', `near(${MARK}`);
    expect(near?.signatures[0]?.label).to.match(/^near\(/);
    expect(await help('from = clauses', `from = ${MARK}clauses`)).to.equal(null);
  });

  describe('formatting', () => {
    const format = async (text: string): Promise<string | null> => {
      const doc = await opened(text);
      const edits: TextEdit[] | null = await bench.client.request('textDocument/formatting', {
        textDocument: doc.textDocument,
        options: { tabSize: 2, insertSpaces: true },
      });
      return edits === null ? null : edited(doc.text, edits);
    };

    it('gives the one form of a text, and nothing where it has it', async () => {
      const messy = PIPELINE.replace('  from = clauses', '      from    =   clauses   ');
      expect(await format(messy)).to.equal(PIPELINE);
      expect(await format(PIPELINE)).to.equal(PIPELINE);
    });

    it('edits only the lines that change', async () => {
      const doc = await opened(PIPELINE.replace('  from = clauses', '  from    = clauses'));
      const edits: TextEdit[] = await bench.client.request('textDocument/formatting', {
        textDocument: doc.textDocument,
        options: { tabSize: 2, insertSpaces: true },
      });
      expect(edits.map(({ range }) => textAt(doc.text, range))).to.deep.equal(['  from    = clauses\n']);
    });

    it('leaves the ends of lines as the document has them', async () => {
      const windows = (text: string): string => text.replaceAll('\n', '\r\n');
      expect(await format(windows(PIPELINE))).to.equal(windows(PIPELINE));
      const doc = await opened(windows(PIPELINE.replace('  from = clauses', '  from    = clauses')));
      const edits: TextEdit[] = await bench.client.request('textDocument/formatting', {
        textDocument: doc.textDocument,
        options: { tabSize: 2, insertSpaces: true },
      });
      expect(edits.map(({ newText }) => newText)).to.deep.equal(['  from = clauses\r\n']);
    });

    it('leaves a broken text alone', async () => {
      expect(await format('edition 2026\ndata rows {\n   source = (\n')).to.equal(null);
    });
  });

  describe('fixes', () => {
    const actions = async (text: string, only?: string[]): Promise<{ doc: Opened; found: CodeAction[] }> => {
      const doc = await opened(text);
      const { diagnostics } = await bench.client.diagnostics(doc.uri);
      const end = { line: doc.text.split('\n').length, character: 0 };
      const found = await bench.client.request('textDocument/codeAction', {
        textDocument: doc.textDocument,
        range: { start: { line: 0, character: 0 }, end },
        context: { diagnostics, only },
      });
      return { doc, found };
    };
    const applied = ({ doc, found }: { doc: Opened; found: CodeAction[] }, title: string): string => {
      const action = found.find((one) => one.title === title);
      if (action === undefined)
        throw new Error(`no \`${title}\` among ${found.map((one) => one.title).join(', ')}`);
      return edited(doc.text, action.edit?.changes?.[doc.uri] ?? []);
    };

    it('offers the fixes that diagnostics carry', async () => {
      const misspelt = await actions(pipelineWith('from = clauses', 'frm = clauses'), ['quickfix']);
      expect(applied(misspelt, 'write `from`')).to.equal(PIPELINE);
      expect(misspelt.found[0]?.diagnostics?.[0]?.code).to.equal('FTP0213');
      const unit = await actions(pipelineWith('64tok', '64'), ['quickfix']);
      expect(applied(unit, unit.found[0]?.title ?? '')).to.equal(PIPELINE);
    });

    it('offers only those of the place that is asked about', async () => {
      const doc = await opened(pipelineWith('from = clauses', 'frm = clauses'));
      const { diagnostics } = await bench.client.diagnostics(doc.uri);
      const start = { line: 0, character: 0 };
      const found = await bench.client.request('textDocument/codeAction', {
        textDocument: doc.textDocument,
        range: { start, end: start },
        context: { diagnostics, only: ['quickfix'] },
      });
      expect(found).to.deep.equal([]);
    });

    it('applies every safe fix at once', async () => {
      const text = PIPELINE.replace('dedupe = [exact, near(0.9)]', 'dedupe = exact').replace(
        'max_length = 64tok',
        'max_length: 64tok',
      );
      const all = await actions(text, ['source.fixAll']);
      expect(all.found).to.have.length(1);
      expect(applied(all, 'Apply every safe fix'))
        .to.contain('dedupe = [exact]')
        .and.contain('max_length = 64tok');
    });
  });

  it('removes what is imported and not used', async () => {
    const text = `edition 2026
import { exact_match, perplexity } from "std/eval"
import { hub, jsonl } from "std/data"

data rows {
  source = jsonl("data/rows.jsonl")
}
`;
    const doc = await opened(text);
    const [action]: CodeAction[] = await bench.client.request('textDocument/codeAction', {
      textDocument: doc.textDocument,
      range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
      context: { diagnostics: [], only: ['source.organizeImports'] },
    });
    expect(edited(text, action?.edit?.changes?.[doc.uri] ?? [])).to.equal(
      text.replace('import { exact_match, perplexity } from "std/eval"\n', '').replace('hub, ', ''),
    );
  });

  it('colours words by what they mean', async () => {
    const doc = await opened(PIPELINE);
    const legend = bench.client.initialized.capabilities.semanticTokensProvider?.legend;
    const full: { data: number[] } = await bench.client.request('textDocument/semanticTokens/full', doc);
    const words = decoded(full.data, doc.text, legend?.tokenTypes ?? []);
    expect(words).to.include.members([
      'keyword edition',
      'number 2026',
      'keyword train',
      'class adapter',
      'interface careful',
      'property lora',
      'property rank',
      'parameter rank',
      'function adamw',
      'method best',
      'number 64tok',
      'string "std/data"',
      'comment /// Answer questions about licences.',
      'operator <=',
    ]);
    const tests = `edition 2026
test "x" {
  expect plan.adapter.chosen.method == qlora and plan.reports("FTP0601")
}
`;
    const other = await bench.client.open(bench.folder.uri('colours.test.ftp'), tests);
    const asked: { data: number[] } = await bench.client.request('textDocument/semanticTokens/full', other);
    expect(decoded(asked.data, tests, legend?.tokenTypes ?? [])).to.include.members([
      'keyword expect',
      'variable plan',
      'variable qlora',
      'function reports',
      'keyword and',
    ]);
    const line = doc.text.split('\n').findIndex((one) => one.startsWith('train'));
    const ranged: { data: number[] } = await bench.client.request('textDocument/semanticTokens/range', {
      textDocument: doc.textDocument,
      range: { start: { line, character: 0 }, end: { line: line + 1, character: 0 } },
    });
    expect(decoded(ranged.data, doc.text, legend?.tokenTypes ?? [])).to.deep.equal([
      'keyword train',
      'class adapter',
      'keyword using',
      'interface careful',
    ]);
  });
});

function decoded(data: readonly number[], text: string, types: readonly string[]): string[] {
  const lines = text.split('\n');
  const words: string[] = [];
  let [line, start] = [0, 0];
  for (let i = 0; i < data.length; i += 5) {
    const [down = 0, right = 0, length = 0, type = 0] = data.slice(i, i + 5);
    start = down === 0 ? start + right : right;
    line += down;
    words.push(`${types[type]} ${lines[line]?.slice(start, start + length)}`);
  }
  return words;
}
