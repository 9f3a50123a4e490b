import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { EvaluationReport } from '../../../../src/compute/evaluation/report.js';
import { openModel } from '../../../../src/compute/models/load.js';
import type { Tokenizer } from '../../../../src/compute/models/types.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { Expression, Requirement } from '../../../../src/language/ir/program.js';
import type { WeightResidency } from '../../../../src/language/ir/runtimes.js';
import { run } from '../../../../src/pipeline/stages/eval/run.js';
import {
  baseCall,
  contextOf,
  type Dialog,
  expected,
  formatted,
  SPAN,
  scratch,
  stageOf,
  tiny,
  trained,
} from '../../../compute/evaluation/tiny.js';
import { binary, metric, value } from '../../../helpers/expressions.js';

const requires = (text: string, left: Expression, op: '<' | '>=', right: Expression): Requirement => ({
  text,
  condition: binary(left, op, right),
  span: SPAN,
});

describe('the eval stage', () => {
  const place = scratch();
  after(() => place.remove());
  let tokenizer: Tokenizer;
  let dialogs: readonly Dialog[];
  let count = 0;

  before(async () => {
    tokenizer = await openModel(nodeHost(), join(tiny, 'base')).tokenizer();
    // References that the tuned model gives exactly for some rows, by what transformers generated.
    dialogs = expected.prompts.map((prompt, i) => ({
      prompt,
      answer: i % 2 === 0 ? tokenizer.decode((expected.tuned.greedy[i] ?? []).slice(0, 6)) : 'no such answer',
      kind: i < 2 ? 'first' : 'second',
    }));
  });

  const evaluate = async (
    settings: Readonly<Record<string, unknown>> = {},
    more: { requires?: readonly Requirement[]; method?: 'lora' | 'qlora'; residency?: WeightResidency } = {},
  ) => {
    count++;
    const folder = join(place.path, `eval-${count}`);
    const train = trained(folder, more.method);
    const rows = formatted(folder, tokenizer, dialogs);
    const stage = stageOf(
      'eval',
      'quality',
      {
        model: { stage: 'adapter', port: 'best' },
        dataset: { stage: 'rows', port: 'test' },
        baseline: baseCall,
        metrics: [{ call: 'perplexity', args: {} }],
        generation: { max_tokens: 6 },
        samples: 2,
        seed: 1,
        ...settings,
      },
      { requires: more.requires ?? [] },
    );
    const context = { ...contextOf(stage, [train, rows], folder), residency: more.residency };
    const result = await run(context);
    const read = (name: string): string => readFileSync(join(context.output.path, name), 'utf8');
    return { result, context, read, report: JSON.parse(read('report.json')) as EvaluationReport };
  };

  const call = (name: string, args = {}): unknown => ({ call: name, args });
  const everything = {
    metrics: [call('perplexity'), call('exact_match'), call('rouge_l'), call('unigram_perplexity')],
  };

  it('measures model and baseline on the same rows and writes the report', async () => {
    const { result, report, context, read } = await evaluate(everything);
    const names = ['exact_match', 'loss', 'perplexity', 'rouge_l', 'unigram_perplexity'];
    expect(Object.keys(result.metrics).sort()).to.deep.equal(names);
    expect(Object.keys(result.baseline ?? {}).sort()).to.deep.equal(names);
    expect(result.metrics).to.deep.equal(report.metrics);
    expect(report.metrics.perplexity).to.be.closeTo(Math.exp(report.metrics.loss ?? 0), 1e-9);
    // The references of rows 0 and 2 are what transformers generates with the adapter.
    expect(report.metrics.exact_match).to.equal(0.5);
    expect(report.baseline.exact_match).to.equal(0);
    expect(report.rows).to.equal(4);
    expect(report.answered).to.equal(4);
    for (const [name, [low, high]] of Object.entries(report.intervals)) {
      const value = report.metrics[name as 'loss'] ?? Number.NaN;
      expect(low, name).to.be.at.most(value);
      expect(high, name).to.be.at.least(value);
    }
    expect(report.differences.exact_match?.value).to.equal(0.5);
    expect(report.groups?.['first']?.metrics.exact_match).to.equal(0.5);
    expect(report.groups?.['second']?.rows).to.equal(2);
    expect(report.samples).to.have.length(2);
    for (const sample of report.samples) {
      const row = expected.prompts.indexOf(sample.prompt);
      expect(sample.answer).to.equal(
        tokenizer.decode((expected.tuned.greedy[row] ?? []).slice(0, 6), { skipSpecial: true }),
      );
      expect(sample.baseline).to.equal(
        tokenizer.decode((expected.base.greedy[row] ?? []).slice(0, 6), { skipSpecial: true }),
      );
    }
    const lines = read('answers.jsonl').trimEnd().split('\n');
    expect(lines).to.have.length(4);
    const progress = context.events.filter((event) => event.type === 'stage.progress');
    expect(progress.at(-1)).to.include({ done: 16, total: 16 });
  });

  it('measures an adapter of a folder over its base as that of a training', async () => {
    const folder = join(tiny, 'adapter');
    const named = { model: baseCall, adapter: { call: 'peft', args: { folder } } };
    const [port, own] = [await evaluate(everything), await evaluate({ ...everything, ...named })];
    // the references of rows 0 and 2 are what transformers and PEFT generate
    expect(own.report.metrics.exact_match).to.equal(0.5);
    expect(own.result).to.deep.equal(port.result);
    expect(own.report.samples).to.deep.equal(port.report.samples);
    expect(own.report.model).to.deep.equal({
      ...{ label: folder, storage: 'stored', adapter: folder, base: join(tiny, 'base') },
    });
  });

  it('measures answers by a schema, a pattern and all of them together', async () => {
    const schema = { file: 'a.json', text: '{"type": "object"}', sha256: '' };
    const { report } = await evaluate({
      metrics: [
        call('json_valid', { schema }),
        call('matches', { pattern: '.' }),
        call('bleu'),
        call('chrf'),
        call('distinct', { n: 1 }),
        call('contains'),
      ],
    });
    expect(report.metrics).to.include({ json_valid: 0, matches: 1, contains: 0.5 });
    expect(report.metrics.chrf).to.be.greaterThan(report.baseline.chrf ?? Number.NaN);
    expect(report.differences.chrf?.value).to.be.greaterThan(0);
    expect(Object.keys(report.intervals)).to.have.length(6);
  });

  it('writes the same report again', async () => {
    const [first, second] = [await evaluate(everything), await evaluate(everything)];
    expect(second.read('report.json')).to.equal(first.read('report.json'));
    expect(second.read('answers.jsonl')).to.equal(first.read('answers.jsonl'));
  });

  it('says how much better the model is, and whether that may be chance', async () => {
    const sure = requires('gain_low.loss >= 1000', metric('gain_low', 'loss'), '>=', value(1000));
    const { report, result } = await evaluate(everything, { requires: [sure] });
    const { loss, exact_match: match } = report.differences;
    expect(report.gains?.gain).to.include({ loss: -(loss?.value ?? 0), exact_match: match?.value });
    expect(report.gains?.gain_low).to.include({ loss: -(loss?.high ?? 0), exact_match: match?.low });
    expect(result.gain_high).to.deep.equal(report.gains?.gain_high);
    expect(report.requires[0]).to.include({ holds: false, value: report.gains?.gain_low.loss });
  });

  it('compares two adapters, each over weights as it was trained over', async () => {
    const { report } = await evaluate({ ...everything, baseline: { stage: 'adapter', port: 'best' } });
    expect(report.baselineModel?.adapter).to.equal('adapter.best');
    expect(report.baseline).to.deep.equal(report.metrics);
    expect(report.gains?.gain_low.loss).to.equal(0);
  });

  it('returns a requirement that fails as a result', async () => {
    const hopeless = requires('loss < 0.5', metric('loss'), '<', value(0.5));
    const gain = requires(
      'exact_match - baseline.exact_match >= 0.2',
      binary(metric('exact_match'), '-', metric('baseline', 'exact_match')),
      '>=',
      value(0.2),
    );
    const { report } = await evaluate(everything, { requires: [hopeless, gain] });
    expect(report.requires[0]).to.include({ require: 'loss < 0.5', limit: 0.5 });
    expect(report.requires.map(({ holds }) => holds)).to.deep.equal([false, true]);
    expect(report.requires[0]?.sentence).to.match(/^loss = [\d.]+, needs < 0\.5$/);
  });

  it('refers to what earlier stages measured, and leaves the rest to the run', async () => {
    const shorter = requires('loss < adapter.loss', metric('loss'), '<', metric('adapter', 'loss'));
    const unknown = requires(
      'loss < adapter.valid_loss',
      metric('loss'),
      '<',
      metric('adapter', 'valid_loss'),
    );
    const other = requires('loss < adapter.rouge_l', metric('loss'), '<', metric('adapter', 'rouge_l'));
    const { report } = await evaluate({}, { requires: [shorter, unknown, other] });
    expect(report.metrics).to.have.all.keys('loss', 'perplexity');
    expect(report.requires.map(({ require }) => require)).to.deep.equal(['loss < adapter.loss']);
  });

  it('measures what only a requirement names', async () => {
    const needed = requires('quality.rouge_l >= 0', metric('quality', 'rouge_l'), '>=', value(0));
    const { result } = await evaluate({}, { requires: [needed] });
    expect(result.metrics).to.have.property('rouge_l');
  });

  it('evaluates a QLoRA adapter over a base in four bits, and its baseline too', async () => {
    const [plain, quantised] = [await evaluate(), await evaluate({}, { method: 'qlora' })];
    expect(quantised.report.model.storage).to.equal('nf4');
    expect(quantised.report.baselineModel?.storage).to.equal('nf4');
    expect(quantised.report.metrics.loss).not.to.equal(plain.report.metrics.loss);
    expect(quantised.report.baseline.loss).not.to.equal(plain.report.baseline.loss);
  });

  for (const [method, ways] of [
    ['qlora', ['stored', 'float32']],
    ['lora', ['stored', 'paged']],
  ] as const)
    it(`finds the same over a base of ${method} however it is held: ${ways.join(', ')}`, async () => {
      const reports = [];
      for (const residency of ways) reports.push((await evaluate({}, { method, residency })).report);
      const [one, other] = reports;
      expect(other?.model.storage).to.equal(method === 'qlora' ? 'nf4' : 'stored');
      expect([other?.metrics, other?.baseline]).to.deep.equal([one?.metrics, one?.baseline]);
    });

  it('evaluates a model folder, and a baseline of other weights', async () => {
    const untrained = { call: 'untrained', args: { folder: join(tiny, 'base'), seed: 3 } };
    const { report } = await evaluate({ model: baseCall, baseline: untrained });
    const { report: adapted } = await evaluate();
    expect(report.metrics.loss).to.equal(adapted.baseline.loss);
    expect(report.baseline.loss).not.to.equal(report.metrics.loss);
  });

  it('draws answers by the seed, says how in the report, and draws the same for a row whatever others are answered', async () => {
    const sampling = { temperature: 1.5, top_k: 200, top_p: 0.95, min_p: 0.001 };
    const generation = {
      max_tokens: 9,
      sampling,
      repetition_penalty: 1.1,
      stop: ['<|im_end|>', 'no such text'],
    };
    const answersOf = async (settings: object): Promise<Map<unknown, unknown>> => {
      const { read, report } = await evaluate({ ...everything, samples: 0, ...settings });
      expect(report.generation?.maxTokens).to.equal(9);
      const lines = read('answers.jsonl').trimEnd().split('\n');
      return new Map(lines.map((line) => JSON.parse(line)).map(({ line, answer }) => [line, answer]));
    };
    const { report } = await evaluate({ ...everything, generation });
    expect(report.generation).to.deep.equal({
      maxTokens: 9,
      repetitionPenalty: 1.1,
      stop: ['<|im_end|>', 'no such text'],
      sampling: { temperature: 1.5, topK: 200, topP: 0.95, minP: 0.001, seed: 1 },
    });
    const all = await answersOf({ generation });
    expect(await answersOf({ generation })).to.deep.equal(all);
    expect(await answersOf({ generation, seed: 2 })).not.to.deep.equal(all);
    const few = await answersOf({ generation: { ...generation, rows: 2 } });
    expect(few.size).to.equal(2);
    for (const [line, answer] of few) expect(answer).to.equal(all.get(line));
  });

  it('ends an answer before a stop text', async () => {
    const { read } = await evaluate(everything);
    const whole: string[] = read('answers.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).answer);
    const stop = [...(whole[0] ?? '')].filter((char) => char !== '\ufffd')[2] ?? '';
    const { read: again } = await evaluate({ ...everything, generation: { max_tokens: 6, stop: [stop] } });
    const cut: string[] = again('answers.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).answer);
    expect(cut[0]).to.equal(whole[0]?.slice(0, whole[0].indexOf(stop)));
  });

  it('evaluates without a baseline, and answers only the rows that it is told to', async () => {
    const { result, report } = await evaluate({
      baseline: undefined,
      metrics: [call('rouge_l')],
      generation: { max_tokens: 4, rows: 3 },
      samples: 0,
    });
    expect(result.baseline).to.equal(undefined);
    expect(report.baselineModel).to.equal(null);
    expect(report.answered).to.equal(3);
    expect(report.counted.rouge_l).to.equal(3);
    expect(report.samples).to.deep.equal([]);
  });

  it('names what is wrong', async () => {
    const codeOf = async (running: Promise<unknown>): Promise<string> => {
      try {
        await running;
      } catch (error) {
        if (error instanceof UserError) return error.diagnostic.code;
        throw error;
      }
      return 'none';
    };
    expect(await codeOf(evaluate({ metrics: [call('rouge_l'), call('rouge_l')] }))).to.equal('FTP0701');
    expect(await codeOf(evaluate({ metrics: [call('exact_match', { up_to: 1 })] }))).to.equal('FTP0703');
    const kept = dialogs;
    dialogs = [];
    expect(await codeOf(evaluate())).to.equal('FTP0704');
    // 128 tokens with the answer and its end: as many as the model has positions
    dialogs = [{ prompt: 'x'.repeat(126), answer: 'y' }];
    expect(await codeOf(evaluate(everything))).to.equal('none');
    dialogs = [...dialogs, { prompt: 'x'.repeat(126), answer: 'yy' }];
    expect(await codeOf(evaluate(everything))).to.equal('FTP0875');
    dialogs = kept;
  });

  it('stops when it is told to', async () => {
    const folder = join(place.path, 'stopped');
    const abort = new AbortController();
    const reason = new Error('interrupted');
    const stage = stageOf('eval', 'quality', {
      model: { stage: 'adapter', port: 'best' },
      dataset: { stage: 'rows', port: 'test' },
      metrics: [call('rouge_l')],
      generation: { max_tokens: 50 },
      samples: 0,
      seed: 1,
    });
    const context = contextOf(stage, [trained(folder), formatted(folder, tokenizer, dialogs)], folder, {
      signal: abort.signal,
    });
    abort.abort(reason);
    let caught: unknown;
    await run(context).catch((error: unknown) => {
      caught = error;
    });
    expect(caught).to.equal(reason);
  });
});
