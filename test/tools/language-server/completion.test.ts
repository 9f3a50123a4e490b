import { expect } from 'chai';
import type { CompletionItem } from 'vscode-languageserver-protocol';
import { accepted, type Client, MARK } from './client.js';
import { type Bench, PIPELINE, pipelineWith, startIn } from './workspace.js';

describe('language server: completion', () => {
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

  const at = async (marked: string, client: Client = bench.client) => {
    const doc = await client.open(bench.folder.uri(`completion-${++count}.ftp`), marked);
    const items: CompletionItem[] = (await client.request('textDocument/completion', doc)) ?? [];
    await client.close(doc.uri);
    const labels = items.map(({ label }) => label);
    const take = (label: string): string => {
      const item = items.find((one) => one.label === label);
      if (item === undefined) throw new Error(`no \`${label}\` among ${labels.join(', ')}`);
      return accepted(doc.text, item);
    };
    return { items, labels, take };
  };
  /** The pipeline, with this in place of that. */
  const inPipeline = (part: string, instead: string) => at(pipelineWith(part, instead));

  it('offers declarations where one may begin, with the settings that they need', async () => {
    const { labels, take } = await at(`edition 2026\n\n${MARK}\n`);
    expect(labels).to.include.members(['data', 'format', 'train', 'eval', 'merge', 'deploy', 'budget']);
    expect(labels).to.include.members(['param', 'secret', 'import', 'preset', 'matrix']);
    expect(labels).not.to.include('edition');
    expect(take('data')).to.contain(`data ${stop(1, 'name')} {\n  source = $2\n}`);
    expect((await at(MARK)).labels).to.include('edition');
  });

  it('offers the keys of a block that are not set yet, required ones first', async () => {
    const { labels, items, take } = await inPipeline('  batch = { global: 4 }\n', `  ${MARK}\n`);
    expect(labels).to.include.members([
      'batch',
      'stop',
      'checkpoint',
      'fallback',
      'order',
      'seed',
      'require',
    ]);
    expect(labels).not.to.include.members(['base', 'dataset', 'lora', 'optimizer']);
    const batch = items.find(({ label }) => label === 'batch');
    expect(batch?.documentation).to.deep.equal({
      kind: 'markdown',
      value: 'Rows per optimiser step.\n\na record `{ … }` · default: `{ }`',
    });
    expect(take('batch')).to.contain('  batch = { $1 }\n');
    const needed = await at(`edition 2026\ndata rows {\n  ${MARK}\n}\n`);
    const sorted = [...needed.items].sort((a, b) => ((a.sortText ?? '') < (b.sortText ?? '') ? -1 : 1));
    expect(sorted[0]?.label).to.equal('source');
  });

  it('keeps the sign that is already there', async () => {
    const { take } = await inPipeline('max_length = 64tok', `max${MARK} = 64tok`);
    expect(take('max_length')).to.contain('  max_length = 64tok\n');
  });

  it('offers the keys of a record and the arguments of a call', async () => {
    const record = await inPipeline('{ rank: rank, alpha: 16 }', `{ rank: rank, ${MARK} }`);
    expect(record.labels).to.include.members(['alpha', 'dropout', 'targets']).and.not.include('rank');
    expect(record.take('dropout')).to.contain(`rank: rank, dropout: ${stop(1, '0%')} }`);
    const call = await inPipeline('schedule: cosine(warmup: 3%)', MARK);
    expect(call.labels).to.include.members(['schedule', 'clip', 'decay']).and.not.include('rate');
  });

  it('adds the comma that a line of a record lacks', async () => {
    const { labels, take } = await inPipeline(
      '{ rank: rank, alpha: 16 }',
      `{\n    rank: rank\n    al${MARK}\n  }`,
    );
    expect(labels).to.include('dropout').and.not.include('rank');
    expect(take('alpha')).to.contain(`    rank: rank,\n    alpha: ${stop(1, '32')}\n  }`);
    const same = await inPipeline('{ rank: rank, alpha: 16 }', `{ rank: rank ${MARK} }`);
    expect(same.labels).to.deep.equal([]);
  });

  it('offers choices, booleans and functions by their type', async () => {
    const order = await inPipeline('batch = { global: 4 }', `order = ${MARK}`);
    expect(order.labels).to.include.members(['shuffled', 'file', 'by_length']);
    const flag = await at(`edition 2026\nparam fast: Bool = ${MARK}\n`);
    expect(flag.labels).to.include.members(['true', 'false']);
    const optimizer = await inPipeline('adamw(rate: 2e-4, schedule: cosine(warmup: 3%))', MARK);
    expect(optimizer.labels).to.include('adamw').and.not.include('cosine');
    expect(optimizer.take('adamw')).to.contain('optimizer = adamw(rate: $1)');
    const schedule = await inPipeline('cosine(warmup: 3%)', MARK);
    expect(schedule.labels).to.include.members(['cosine', 'linear', 'constant']).and.not.include('adamw');
    const targets = await inPipeline('alpha: 16', `targets: ${MARK}`);
    expect(targets.labels).to.include.members(['all_linear', 'attention', 'query_value', '[ … ]']);
  });

  it('imports a function that is not known yet', async () => {
    const { take } = await at(`edition 2026\n\ndata rows {\n  source = ${MARK}\n}\n`);
    expect(take('jsonl')).to.equal(
      'edition 2026\nimport { jsonl } from "std/data"\n\ndata rows {\n  source = jsonl("$1")\n}\n',
    );
    const more = await inPipeline('[perplexity, exact_match]', `[perplexity, exact_match, ${MARK}]`);
    expect(more.take('rouge_l'))
      .to.contain('import { exact_match, perplexity, rouge_l } from "std/eval"')
      .and.contain('metrics = [perplexity, exact_match, rouge_l]');
  });

  it('offers the ports that fit, and after a dot those of the stage', async () => {
    const dataset = await inPipeline('dataset = dialogs.train', `dataset = ${MARK}`);
    expect(dataset.labels).to.include.members(['dialogs.train', 'dialogs.valid', 'dialogs.test']);
    expect(dataset.labels).not.to.include.members(['clauses', 'adapter.best']);
    const from = await inPipeline('from = clauses', `from = ${MARK}`);
    expect(from.labels).to.include('clauses').and.not.include('dialogs.train');
    const dot = await inPipeline('model = adapter.best', `model = adapter.${MARK}`);
    expect(dot.labels).to.deep.equal(['best', 'last', 'valid_loss']);
    const half = await inPipeline('model = adapter.best', `model = adapter.be${MARK}`);
    expect(half.take('best')).to.contain('model = adapter.best\n');
  });

  it('offers units after a number, as the place takes them', async () => {
    const tokens = await inPipeline('64tok', `64${MARK}`);
    expect(tokens.labels).to.deep.equal(['64tok']);
    const warmup = await inPipeline('warmup: 3%', `warmup: 3${MARK}`);
    expect(warmup.labels).to.have.members(['3%', '3steps']);
    const memory = await inPipeline('8GiB', `8G${MARK}`);
    expect(memory.labels).to.include.members(['8GiB', '8GB', '8MiB']).and.not.include('8h');
    expect(memory.take('8GiB')).to.contain('peak_memory <= 8GiB\n');
  });

  it('offers methods and presets after `using`', async () => {
    const { labels, take } = await inPipeline('using careful', `using ${MARK}`);
    expect(labels).to.include.members(['lora', 'qlora', 'full', 'careful']);
    expect(take('rank_8')).to.contain('using rank_8 {').and.contain('import { rank_8 } from "std/train"');
    const second = await inPipeline('using careful', `using careful, ${MARK}`);
    expect(second.labels).to.include('lora').and.not.include('careful');
    expect((await inPipeline('adapter using careful', `adapter ${MARK}`)).labels).to.deep.equal(['using']);
  });

  it('offers machines, what they declare, and those that they may go on from', async () => {
    expect((await at(`edition 2026\n\n${MARK}\n`)).labels).to.include('machine');
    const inside = await at(`edition 2026\n\nmachine desk {\n  memory = 24GiB\n  ${MARK}\n}\n`);
    expect(inside.labels).to.include.members(['device', 'rates', 'price']);
    expect(inside.labels).not.to.include('memory');
    expect((await at(`edition 2026\n\nmachine desk {\n  price = 2${MARK}\n}\n`)).labels).to.include('2usd/h');
    const { labels, take } = await at(`edition 2026\n\nmachine desk using ${MARK} {\n}\n`);
    expect(labels).to.include.members(['rtx_3090', 'a100_sxm_80gb']);
    expect(take('rtx_3090')).to.contain('import { rtx_3090 } from "std/machines"');
  });

  it('offers modules and what they export', async () => {
    const paths = await at(`edition 2026\nimport { x } from "${MARK}"\n`);
    expect(paths.labels).to.include.members(['std/data', 'std/format', 'std/eval', './']);
    const relative = await at(`edition 2026\nimport { x } from "./${MARK}"\n`);
    expect(relative.labels).to.include('shared.ftp');
    expect(relative.take('shared.ftp')).to.contain('from "./shared.ftp"');
    const names = await at(`edition 2026\nimport { careful, ${MARK} } from "./shared.ftp"\n`);
    expect(names.labels).to.deep.equal(['rank']);
    const library = await at(`edition 2026\nimport { ${MARK} } from "std/data"\n`);
    expect(library.labels).to.include('jsonl');
  });

  it('offers files inside of strings that name one', async () => {
    const file = await inPipeline('"prompts/legal.md"', `"prompts/${MARK}"`);
    expect(file.labels).to.deep.equal(['legal.md']);
    expect(file.take('legal.md')).to.contain('file("prompts/legal.md")');
    const rows = await inPipeline('"data/rows.jsonl"', `"${MARK}`);
    expect(rows.labels).to.include.members(['data/', 'prompts/']).and.not.include('shared.ftp');
    const adapter = await at(`edition 2026\nparam base: Model = local("${MARK}")\n`);
    expect(adapter.labels).to.include('data/').and.not.include('shared.ftp');
    const start = await inPipeline('  batch = { global: 4 }', `  start = peft("${MARK}")`);
    expect(start.labels).to.include('data/').and.not.include('shared.ftp');
  });

  it('offers parameters of the type, and metrics in a condition', async () => {
    const rank = await inPipeline('rank: rank', `rank: ${MARK}`);
    expect(rank.labels).to.include('rank').and.not.include('base');
    const base = await inPipeline('base = base\n  dataset', `base = ${MARK}\n  dataset`);
    expect(base.labels).to.include.members(['base', 'starter', 'local']).and.not.include('rank');
    const rows = await inPipeline('require rows >= 1', `require ${MARK}`);
    expect(rows.labels).to.include.members(['rows', 'dropped', 'duplicates', 'smoke']);
    const metric = await inPipeline('< baseline.perplexity', `< baseline.${MARK}`);
    expect(metric.labels).to.include.members(['perplexity', 'exact_match', 'rouge_l']);
    const budget = await inPipeline('require peak_memory <= 8GiB', `require ${MARK}`);
    expect(budget.labels).to.include.members(['peak_memory', 'wall_time', 'checklist']);
    const checklist = await inPipeline('require peak_memory <= 8GiB', `require checklist.${MARK}`);
    expect(checklist.labels).to.have.members(['open', 'unknown']);
    const setting = await inPipeline('require peak_memory <= 8GiB', MARK);
    expect(setting.labels).to.include('runtime');
    const runtime = await inPipeline('require peak_memory <= 8GiB', `runtime = ${MARK}`);
    expect(runtime.labels).to.include.members(['auto', 'onnx', 'tensorflow']);
  });

  it('offers in a condition what other stages measured', async () => {
    const rows = await inPipeline('require rows >= 1', `require ${MARK}`);
    expect(rows.labels).to.include.members(['rows', 'dialogs', 'quality']).and.not.include('clauses');
    const behind = await inPipeline('require perplexity < baseline.perplexity', `require dialogs.${MARK}`);
    expect(behind.labels).to.include.members(['rows', 'longest']).and.not.include.members(['train']);
    const budget = await inPipeline('require peak_memory <= 8GiB', `require adapter.${MARK}`);
    expect(budget.labels).to.include.members(['loss', 'peak_memory', 'wall_time']).and.not.include('best');
    const unit = await inPipeline('require peak_memory <= 8GiB', `require adapter.wall_time <= 8${MARK}`);
    expect(unit.labels).to.include('8h').and.not.include('8GiB');
  });

  it('offers styles of chats, rules in `allow`, and modules behind `from`', async () => {
    const style = await inPipeline('system: file("prompts/legal.md")', `style: ${MARK}`);
    expect(style.labels).to.include.members(['chatml', 'llama3', 'file("…")']);
    const rule = await inPipeline('data clauses {', `// allow(no-gen${MARK}): mine\ndata clauses {`);
    expect(rule.take('no-general-mix')).to.contain('// allow(no-general-mix): mine\n');
    expect((await at(`edition 2026\n// allow (too-few-rows, ${MARK}\n`)).labels).to.include('rank-too-low');
    const { take } = await at(`edition 2026\nimport { jsonl } from ${MARK}\n`);
    expect(take('std/data')).to.contain('import { jsonl } from "std/data"\n');
  });

  it('offers a parameter to others, and not to itself', async () => {
    const { labels } = await at(`edition 2026\nparam most: Int = 3\nparam more: Int = ${MARK}\n`);
    expect(labels).to.include('most').and.not.include('more');
  });

  it('offers a parameter that is true or false as a choice between two values', async () => {
    const { labels, take } = await inPipeline('max_length = 64tok', `max_length = ${MARK}`);
    expect(labels).to.include('smoke ? … : …').and.not.include('smoke');
    expect(take('smoke ? … : …')).to.contain('  max_length = smoke ? $1 : $2\n');
    const choice = await inPipeline('limit = smoke ? 200 : none', `limit = ${MARK} ? 200 : none`);
    expect(choice.labels).to.include('smoke').and.not.include.members(['rank', 'none']);
    const call = await inPipeline('adamw(rate: 2e-4, schedule', `adamw(${MARK}, schedule`);
    expect(call.labels).to.include('rate').and.not.include.members(['rank', 'base', 'smoke']);
  });

  it('offers `none` where a setting may be left out, and nowhere else', async () => {
    const offers = async (part: string, instead: string): Promise<boolean> =>
      (await inPipeline(part, instead)).labels.includes('none');
    expect(await offers('max_length = 64tok', `max_length = ${MARK}`)).to.equal(true);
    expect(await offers('limit = smoke ? 200 : none', `limit = smoke ? 200 : ${MARK}`)).to.equal(true);
    expect(await offers('limit = smoke ? 200 : none', `limit = smoke ? ${MARK} : 200`)).to.equal(true);
    expect(await offers('max_length = 64tok', `max_length = 2 * ${MARK}`)).to.equal(false);
    expect(await offers('  from = clauses', `  from = ${MARK}`)).to.equal(false);
    expect(await offers('adamw(rate: 2e-4, schedule', `adamw(rate: ${MARK}, schedule`)).to.equal(false);
  });

  it('offers types of parameters', async () => {
    const { labels } = await at(`edition 2026\nparam size: ${MARK}\n`);
    expect(labels).to.include.members(['Bool', 'Int', 'Model', 'Tokens', 'Ratio']);
  });

  it('offers every word of a pipeline at its place, except declared names', async () => {
    const { uri } = await bench.client.open(bench.folder.uri('words.ftp'), PIPELINE);
    const missing: string[] = [];
    for (const [line, text] of PIPELINE.split('\n').entries())
      for (const { 0: word, index } of text.replace(/\/\/.*$/, '').matchAll(/"[^"]*"|[\w.]+/g)) {
        if (!/^[a-zA-Z]/.test(word)) continue;
        const [start, end] = [index, index + word.length].map((character) => ({ line, character }));
        if (start === undefined || end === undefined) continue;
        await bench.client.change(uri, { range: { start, end }, text: '' });
        const items: CompletionItem[] = await bench.client.request('textDocument/completion', {
          textDocument: { uri },
          position: start,
        });
        const [first = ''] = word.split('.');
        if (!items.some(({ label }) => label === word || label === first || label === `${word}("…")`))
          missing.push(word);
        await bench.client.change(uri, { range: { start, end: start }, text: word });
      }
    await bench.client.close(uri);
    expect(missing).to.deep.equal(['base', 'smoke', 'clauses', 'dialogs', 'adapter', 'quality', 'machine']);
  });

  it('joins and negates conditions', async () => {
    const behind = await inPipeline('require rows >= 1', `require rows >= 1 ${MARK}`);
    expect(behind.labels).to.have.members(['and', 'or']);
    const first = await inPipeline('require rows >= 1', `require n${MARK}`);
    expect(first.labels).to.include.members(['not', 'rows']);
  });

  it('is silent in comments, in texts and behind a value', async () => {
    expect((await at(`edition 2026\n// da${MARK}\n`)).labels).to.deep.equal([]);
    expect((await inPipeline('test: 10% }', `test: 10%, by: "${MARK}" }`)).labels).to.deep.equal([]);
    expect((await inPipeline('max_length = 64tok', `max_length = 64tok ${MARK}`)).labels).to.deep.equal([]);
  });

  it('works in files that do not parse', async () => {
    const lost = await at(`edition 2026\ndata rows {\n  dedupe = [exact, ${MARK}\n\ntrain adapter {\n`);
    expect(lost.labels).to.include.members(['exact', 'near']);
    const unclosed = await at(`edition 2026\ntrain adapter {\n  lora = { rank: 4, ${MARK}`);
    expect(unclosed.labels).to.include('alpha').and.not.include('rank');
    const noise = await at(
      `edition 2026\n%%% ]] )\ntrain adapter using qlora {\n  optimizer = adamw(${MARK}\n`,
    );
    expect(noise.labels).to.include.members(['rate', 'schedule']);
    const string = await at(`edition 2026\ntrain a {\n  x = "never closed\n  ${MARK}\n`);
    expect(string.labels).to.include.members(['base', 'optimizer']);
    const brace = await at(`edition 2026\ndata rows {\n  limit = 4\n\nformat texts {\n  ${MARK}\n}\n`);
    expect(brace.labels).to.include.members(['from', 'template']).and.not.include('dedupe');
  });

  it('gives plain text to an editor without snippets', async () => {
    const { client } = await startIn({}, { capabilities: {} });
    const { items } = await at(`edition 2026\ndata rows {\n  ${MARK}\n}\n`, client);
    const source = items.find(({ label }) => label === 'source');
    expect(source?.insertTextFormat).to.equal(1);
    expect(source?.textEdit).to.have.property('newText', 'source = ');
    expect(client.complaints).to.deep.equal([]);
    await client.stop();
  });
});

/** A stop of a snippet. */
const stop = (index: number, text: string): string => `\${${index}:${text}}`;
