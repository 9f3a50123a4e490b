import { expect } from 'chai';
import type {
  DocumentSymbol,
  Location,
  TextDocumentEdit,
  TextEdit,
  WorkspaceEdit,
} from 'vscode-languageserver-protocol';
import { edited, MARK, type Opened, positionOf, textAt } from './client.js';
import { type Bench, FILES, PIPELINE, pipelineWith, SHARED, startIn } from './workspace.js';

describe('language server: navigation', () => {
  let bench: Bench;
  let count = 0;
  before(async () => {
    bench = await startIn({
      ...FILES,
      'other.ftp': 'edition 2026\nimport { careful } from "./shared.ftp"\n',
    });
  });
  after(async () => {
    expect(bench.client.complaints).to.deep.equal([]);
    await bench.client.stop();
    bench.folder.remove();
  });

  const opened = (marked: string): Promise<Opened> =>
    bench.client.open(bench.folder.uri(`navigation-${++count}.ftp`), marked);
  const inPipeline = (part: string, instead: string) => opened(pipelineWith(part, instead));
  const ask = (method: string, doc: Opened, more: object = {}) =>
    bench.client.request(`textDocument/${method}`, {
      textDocument: doc.textDocument,
      position: doc.position,
      ...more,
    });
  const defined = async (part: string, instead: string) => {
    const doc = await inPipeline(part, instead);
    const location: Location | null = await ask('definition', doc);
    return { doc, location, file: location?.uri.split('/').at(-1) };
  };

  it('goes to stages, parameters, presets, modules, functions and files', async () => {
    const stage = await defined('from = clauses', `from = cla${MARK}uses`);
    expect(textAt(stage.doc.text, stage.location?.range ?? NOWHERE)).to.equal('clauses');
    expect(stage.location?.uri).to.equal(stage.doc.uri);
    const port = await defined('model = adapter.best', `model = adapter.b${MARK}est`);
    expect(textAt(port.doc.text, port.location?.range ?? NOWHERE)).to.equal('adapter');
    const param = await defined('rank: rank', `rank: ra${MARK}nk`);
    expect([param.file, textAt(SHARED, param.location?.range ?? NOWHERE)]).to.deep.equal([
      'shared.ftp',
      'rank',
    ]);
    const preset = await defined('using careful', `using ${MARK}careful`);
    expect(textAt(SHARED, preset.location?.range ?? NOWHERE)).to.equal('careful');
    expect((await defined('"./shared.ftp"', `"./sha${MARK}red.ftp"`)).file).to.equal('shared.ftp');
    expect((await defined('{ jsonl }', `{ jso${MARK}nl }`)).file).to.equal('data.ftp');
    expect((await defined('adamw(', `ada${MARK}mw(`)).file).to.equal('prelude.ftp');
    expect((await defined('"prompts/legal.md"', `"prompts/${MARK}legal.md"`)).file).to.equal('legal.md');
    expect((await defined('"data/rows.jsonl"', `"${MARK}data/rows.jsonl"`)).file).to.equal('rows.jsonl');
    expect((await defined('64tok', `6${MARK}4tok`)).location).to.equal(null);
  });

  it('goes into the library, whose files have no errors when they are opened', async () => {
    const doc = await opened(
      `edition 2026\nimport { rank_8 } from "std/train"\npreset x for train using ra${MARK}nk_8 {\n}\n`,
    );
    const location: Location = await ask('definition', doc);
    expect(location.uri).to.match(/stdlib\/std\/train\.ftp$/);
    await bench.client.open(location.uri, 'edition 2026\n\nnative jsonl from source\n');
    expect((await bench.client.diagnostics(location.uri)).diagnostics).to.deep.equal([]);
    const text = 'edition 2026\n\npreset own for train {\n}\n';
    await bench.client.change(location.uri, { text });
    const position = positionOf(text, text.indexOf('own'));
    const place = { textDocument: { uri: location.uri }, position };
    expect(await bench.client.request('textDocument/prepareRename', place)).to.equal(null);
    await bench.client.close(location.uri);
  });

  it('finds references and highlights, in every file that names the thing', async () => {
    const doc = await inPipeline('format dialogs', `format dia${MARK}logs`);
    const places: Location[] = await ask('references', doc, { context: { includeDeclaration: true } });
    expect(places.map(({ range }) => textAt(doc.text, range))).to.deep.equal(Array(4).fill('dialogs'));
    const uses: Location[] = await ask('references', doc, { context: { includeDeclaration: false } });
    expect(uses).to.have.length(3);
    const marks = await ask('documentHighlight', doc);
    expect(marks.map(({ kind }: { kind: number }) => kind)).to.deep.equal([3, 2, 2, 2]);
    const shared = await inPipeline('using careful', `using care${MARK}ful`);
    const found: Location[] = await ask('references', shared, { context: { includeDeclaration: true } });
    const files = new Set(found.map(({ uri }) => uri.split('/').at(-1)));
    // `other.ftp` is not open.
    expect([...files]).to.include.members(['shared.ftp', 'other.ftp', shared.uri.split('/').at(-1)]);
  });

  it('renames in every file, unsaved texts included', async () => {
    const first = await opened(PIPELINE);
    const doc = await inPipeline('using careful', `using care${MARK}ful`);
    const prepared = await ask('prepareRename', doc);
    expect(prepared.placeholder).to.equal('careful');
    const edit: WorkspaceEdit = await ask('rename', doc, { newName: 'quick' });
    const changes = (edit.documentChanges ?? []) as TextDocumentEdit[];
    const of = (uri: string) => changes.find(({ textDocument }) => textDocument.uri === uri);
    expect(of(doc.uri)?.textDocument.version).to.equal(1);
    expect(edited(doc.text, (of(doc.uri)?.edits ?? []) as never))
      .to.contain('{ quick, rank }')
      .and.contain('train adapter using quick')
      .and.not.contain('careful');
    expect(edited(first.text, (of(first.uri)?.edits ?? []) as never)).not.to.contain('careful');
    const shared = changes.find(({ textDocument }) => textDocument.uri.endsWith('/shared.ftp'));
    expect(shared?.textDocument.version).to.equal(null);
    expect(edited(SHARED, (shared?.edits ?? []) as never)).to.contain('preset quick for train');
    await bench.client.close(first.uri);
  });

  it('refuses to rename to a keyword, to a name that is taken, and what is not the user’s', async () => {
    const doc = await inPipeline('format dialogs', `format dia${MARK}logs`);
    for (const newName of ['train', 'two words', '1st', 'a-b', 'true', ''])
      expect(await refusal(ask('rename', doc, { newName })), newName).to.match(/not a name/);
    expect(await refusal(ask('rename', doc, { newName: 'clauses' }))).to.match(/already a name/);
    expect(await ask('rename', doc, { newName: 'dialogs' })).to.deep.equal({});
    for (const [part, instead] of [
      ['adamw(', `ada${MARK}mw(`],
      ['max_length = 64tok', `max_len${MARK}gth = 64tok`],
      ['"prompts/legal.md"', `"prom${MARK}pts/legal.md"`],
      ['train adapter', `tra${MARK}in adapter`],
    ] as const)
      expect(await ask('prepareRename', await inPipeline(part, instead)), instead).to.equal(null);
  });

  it('finds and renames what tests refer to', async () => {
    const test = `edition 2026

test "small" {
  with = { smoke: true }
  expect plan.adapter.chosen.method == lora and plan.stages.adapter.steps > 3steps
  expect program.clauses.limit == 200 and program.adapter.lora.rank == 8
}

test "other" {
  pipeline = "other.ftp"
  expect plan.adapter.steps > 3steps
}
`;
    bench.folder.write('tested.test.ftp', test);
    const uri = bench.folder.uri('tested.test.ftp');
    await bench.client.connection.sendNotification('workspace/didChangeWatchedFiles', {
      changes: [{ uri, type: 1 }],
    });
    const renamed = async (part: string, instead: string, newName: string): Promise<string> => {
      const doc = await bench.client.open(bench.folder.uri('tested.ftp'), pipelineWith(part, instead));
      const edit: WorkspaceEdit = await ask('rename', doc, { newName });
      await bench.client.close(doc.uri);
      const changes = (edit.documentChanges ?? []) as TextDocumentEdit[];
      return edited(
        test,
        (changes.find(({ textDocument }) => textDocument.uri === uri)?.edits ?? []) as TextEdit[],
      );
    };
    expect(await renamed('train adapter', `train ada${MARK}pter`, 'tuned')).to.equal(
      test
        .replace('plan.adapter.chosen', 'plan.tuned.chosen')
        .replace('stages.adapter', 'stages.tuned')
        .replace('program.adapter', 'program.tuned'),
    );
    expect(await renamed('smoke: Bool', `smo${MARK}ke: Bool`, 'quick')).to.equal(
      test.replace('smoke: true', 'quick: true'),
    );
    const at = (part: string, inside: number) => ({
      textDocument: { uri },
      position: positionOf(test, test.indexOf(part) + inside),
    });
    await bench.client.open(bench.folder.uri('tested.ftp'), PIPELINE);
    await bench.client.open(uri, test);
    const place: Location = await bench.client.request('textDocument/definition', at('plan.adapter', 6));
    expect(place.uri).to.equal(bench.folder.uri('tested.ftp'));
    expect(textAt(PIPELINE, place.range)).to.equal('adapter');
    const other = await bench.client.request('textDocument/definition', at('other.ftp', 2));
    expect(other.uri).to.equal(bench.folder.uri('other.ftp'));
    const rank = await bench.client.request('textDocument/hover', at('rank ==', 1));
    expect(rank.contents.value).to.contain('Rank of the two low-rank factors.');
    const method = await bench.client.request('textDocument/hover', at('method', 1));
    expect(method.contents.value).to.contain('`plan.adapter.chosen.method` · `lora`, `qlora`, `full`');
    for (const name of ['tested.ftp', 'tested.test.ftp']) await bench.client.close(bench.folder.uri(name));
  });

  it('shows every file of a pattern', async () => {
    const doc = await inPipeline('"data/rows.jsonl"', `"{data,prompts}/${MARK}*.{jsonl,md}"`);
    const places: Location[] = await ask('definition', doc);
    expect(places.map((place) => place.uri.split('/').at(-1))).to.have.members(['rows.jsonl', 'legal.md']);
    const links = await ask('documentLink', doc);
    expect(links.map(({ tooltip }: { tooltip?: string }) => tooltip)).to.include('The first of 2 files');
  });

  it('gives an outline of the document and the symbols of the workspace', async () => {
    const doc = await opened(PIPELINE);
    const outline: DocumentSymbol[] = await bench.client.request('textDocument/documentSymbol', doc);
    expect(outline.map(({ name, detail }) => `${name} (${detail})`)).to.deep.equal([
      'base (param: Model)',
      'smoke (param: Bool)',
      'clauses (data)',
      'dialogs (format)',
      'adapter (train using careful)',
      'quality (eval)',
      'machine (budget)',
    ]);
    expect(outline[4]?.children?.map(({ name }) => name)).to.include.members(['base', 'lora', 'batch']);
    const found = await bench.client.request('workspace/symbol', { query: 'crfl' });
    expect(found).to.have.length(1);
    expect(found[0]).to.include({ name: 'careful', containerName: 'preset' });
    const all = await bench.client.request('workspace/symbol', { query: '' });
    expect(all.map(({ name }: { name: string }) => name)).to.include.members(['careful', 'rank', 'adapter']);
  });

  it('folds blocks, comments and imports', async () => {
    const doc = await opened(`// one\n// two\n${PIPELINE}`);
    const ranges: { startLine: number; endLine: number; kind?: string }[] = await bench.client.request(
      'textDocument/foldingRange',
      doc,
    );
    const lines = doc.text.split('\n');
    const starts = ranges.map(({ startLine, kind }) => `${kind ?? ''} ${lines[startLine]}`);
    expect(starts).to.include.members([
      'comment // one',
      'imports import { jsonl } from "std/data"',
      ' data clauses {',
      ' train adapter using careful {',
    ]);
    const train = ranges.find(({ startLine }) => lines[startLine]?.startsWith('train'));
    expect(lines[(train?.endLine ?? 0) + 1]).to.equal('}');
  });

  it('selects outwards', async () => {
    const doc = await inPipeline('warmup: 3%', `warmup: 3${MARK}%`);
    const [range] = await bench.client.request('textDocument/selectionRange', {
      textDocument: doc.textDocument,
      positions: [doc.position],
    });
    const texts: string[] = [];
    for (let at = range; at !== undefined; at = at.parent) texts.push(textAt(doc.text, at.range));
    expect(texts.slice(0, 4)).to.deep.equal([
      '3%',
      'cosine(warmup: 3%)',
      'adamw(rate: 2e-4, schedule: cosine(warmup: 3%))',
      'optimizer = adamw(rate: 2e-4, schedule: cosine(warmup: 3%))',
    ]);
    expect(texts[4]).to.match(/^train adapter[\s\S]*}$/);
    expect(texts.at(-1)).to.equal(doc.text);
  });

  it('links modules and files', async () => {
    const doc = await opened(PIPELINE);
    const links = await bench.client.request('textDocument/documentLink', doc);
    const shown = links.map(
      ({ range, target }: { range: Location['range']; target: string }) =>
        `${textAt(doc.text, range)} ${target.split('/').at(-1)}`,
    );
    expect(shown).to.deep.equal([
      'std/data data.ftp',
      'std/format format.ftp',
      'std/eval eval.ftp',
      './shared.ftp shared.ftp',
      'data/rows.jsonl rows.jsonl',
      'prompts/legal.md legal.md',
    ]);
  });
});

const NOWHERE = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

const refusal = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    (value) => `answered ${JSON.stringify(value)}`,
    (error: Error) => error.message,
  );
