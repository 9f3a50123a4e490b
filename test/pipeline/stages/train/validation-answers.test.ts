import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { evaluationDecoder } from '../../../../src/compute/evaluation/evaluation-decoder.js';
import { generate } from '../../../../src/compute/evaluation/generation/generate.js';
import { rougeL } from '../../../../src/compute/evaluation/metrics/rouge.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { readAdapter } from '../../../../src/compute/packaging/adapters.js';
import { openRuntime } from '../../../../src/compute/tensor/runtimes/index.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { StageEvent } from '../../../../src/language/ir/events.js';
import { run } from '../../../../src/pipeline/stages/train/run.js';
import { fixturePath } from '../../../compute/training/fixture.js';
import { askedRow, type WorldOptions, world } from './world.js';

/** Llama with a tokenizer of bytes. */
const BASE = fixturePath('../evaluation/tiny/base');
const END = 258;
const WORDS = ['lease', 'party', 'term', 'owner'];
const ROWS = Array.from({ length: 24 }, (_, row) => {
  const word = WORDS[row % WORDS.length] ?? '';
  return askedRow(`say ${word}:`, `a ${word} b`, END);
});

describe('answers of a validation', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'ftpc-validation-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  type Settings = WorldOptions['settings'];

  const options = (settings: Settings = {}): Omit<WorldOptions, 'folder'> => ({
    rows: ROWS,
    stopId: END,
    settings: {
      base: { call: 'local', args: { folder: BASE } },
      lora: { rank: 4, alpha: 8, dropout: 0, targets: 'all_linear' },
      validation: {
        every: 3,
        metrics: [
          { call: 'rouge_l', args: {} },
          { call: 'perplexity', args: {} },
        ],
        ...{ rows: 4, max_tokens: 12, best: 'rouge_l' },
      },
      stop: { steps: 12 },
      checkpoint: { every: 4, keep: 9 },
      ...settings,
    },
  });

  interface Tried {
    readonly error: unknown;
    readonly events: readonly StageEvent[];
    readonly output: string;
  }

  async function tried(given: Omit<WorldOptions, 'folder'>, name = 'one'): Promise<Tried> {
    const events: StageEvent[] = [];
    const context = world({
      ...given,
      folder: join(root, name),
      emit: (event) => {
        events.push(event);
        given.emit?.(event);
      },
    });
    const error = await run(context).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return { error, events, output: context.output.path };
  }

  const validations = ({ events }: Tried) =>
    events.flatMap((event) => (event.type === 'validation' ? [event] : []));

  const notes = ({ events }: Tried) => events.flatMap((event) => (event.type === 'note' ? [event.text] : []));

  /** ROUGE-L of what an adapter of a training answers, as an evaluation opens it. */
  async function rougeOf(adapter: string): Promise<number> {
    const host = nodeHost(root);
    const model = openModel(host, BASE);
    const runtime = await openRuntime(host, 'onnx', { threads: 1 });
    const decoder = await evaluationDecoder({
      ...{ runtime, config: model.config, weights: model.loadWeights('f32') },
      adapter: readAdapter(host, adapter),
    });
    // of the five rows of the validation, four that the seed has chosen
    const tokenizer = await model.tokenizer();
    const rows = ROWS.slice(0, 5);
    const answers = await generate(
      decoder,
      rows.map(({ ids, prompt }) => Int32Array.from(ids.slice(0, prompt))),
      { maxTokens: 12, stopIds: [END] },
    );
    await decoder.release();
    const scores = answers.map(({ ids }, at) =>
      rougeL(rows[at]?.answer ?? '', tokenizer.decode(ids, { skipSpecial: true }), false),
    );
    return scores.reduce((sum, score) => sum + score, 0) / scores.length;
  }

  it('measures what an evaluation of the same adapter measures, by its own steps', async () => {
    const all = {
      every: 3,
      metrics: [{ call: 'rouge_l', args: {} }],
      rows: 64,
      max_tokens: 12,
      best: 'loss',
    };
    const done = await tried(options({ validation: all }));
    expect(done.error).to.equal(undefined);
    const measured = validations(done);
    expect(measured.map(({ step }) => step)).to.deep.equal([3, 6, 9, 12]);
    expect(measured.at(-1)?.metrics?.['rouge_l']).to.be.closeTo(
      await rougeOf(join(done.output, 'adapter/last')),
      1e-9,
    );
    const saved = done.events.flatMap((event) => (event.type === 'checkpoint.saved' ? [event.step] : []));
    expect(saved).to.deep.equal([3, 4, 6, 8, 9, 12]);
  });

  it('knows the best checkpoint and patience by the metric that is named', async () => {
    const stubborn = options({ stop: { steps: 30, patience: 2 } });
    const done = await tried(stubborn);
    let best = { step: 0, value: Number.NEGATIVE_INFINITY };
    let stale = 0;
    for (const { step, metrics, best: isBest } of validations(done)) {
      const value = metrics?.['rouge_l'] ?? Number.NaN;
      expect(isBest, `step ${step}`).to.equal(value > best.value);
      stale = isBest ? 0 : stale + 1;
      if (isBest) best = { step, value };
    }
    const { ended, best: kept } = JSON.parse(readFileSync(join(done.output, 'training.json'), 'utf8'));
    expect(kept.step).to.equal(best.step);
    expect(ended).to.equal(stale >= 2 ? 'patience' : 'steps');
    const curve = readFileSync(join(done.output, 'metrics.jsonl'), 'utf8');
    expect(curve).to.include('"metrics":{"rouge_l":');
    const stored = curve
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === 'validation');
    expect(stored.map(({ step, best }) => [step, best])).to.deep.equal(
      validations(done).map(({ step, best }) => [step, best]),
    );
  });

  it('measures classes of labelled rows', async () => {
    const f1 = {
      every: 4,
      metrics: [
        { call: 'f1', args: {} },
        { call: 'accuracy', args: {} },
      ],
      best: 'f1',
    };
    const { rows: _, ...given } = options({
      validation: f1,
      base: { call: 'local', args: { folder: fixturePath('base') } },
    });
    const done = await tried({ ...given, labels: ['a', 'b', 'c'] });
    expect(done.error).to.equal(undefined);
    for (const { metrics } of validations(done))
      expect([0, 0.2, 0.4, 0.6, 0.8, 1]).to.include(metrics?.['accuracy']);
  });

  it('is the same training after a stop in the middle', async () => {
    const whole = await tried(options());
    const controller = new AbortController();
    const emit = (event: StageEvent): void => {
      if (event.type === 'stage.progress' && event.step === 7) controller.abort(new Error('stop'));
    };
    const stopped = await tried({ ...options(), signal: controller.signal, emit }, 'two');
    expect(stopped.error).to.equal(controller.signal.reason);
    const resumed = await tried({ ...options(), output: 'again' }, 'two');
    expect([...validations(stopped), ...validations(resumed)]).to.deep.equal(validations(whole));
    for (const state of ['best', 'last']) {
      const file = `adapter/${state}/adapter_model.safetensors`;
      expect(
        readFileSync(join(resumed.output, file)).equals(readFileSync(join(whole.output, file))),
      ).to.equal(true);
    }
  });

  // a rate at which it soon says one word for ever, and never learns where an answer ends
  const repeating = (repetition: string, more: Settings = {}): Omit<WorldOptions, 'folder'> => ({
    ...options({
      optimizer: { call: 'sgd', args: { rate: 3, momentum: 0, decay: 0, clip: 1, loraplus_ratio: 1 } },
      validation: { every: 2, metrics: [], rows: 4, max_tokens: 40, best: 'loss' },
      watch: { repetition, divergence: 'warn' },
      ...more,
    }),
    rows: ROWS.map((_, row) => askedRow(`say ${WORDS[row % WORDS.length]}:`, 'la ')),
  });

  it('ends and keeps the best checkpoint from before, once answers repeat themselves twice', async () => {
    const done = await tried(repeating('stop'));
    expect(done.error).to.equal(undefined);
    expect(validations(done).map(({ best, repetition }) => [best, repetition?.tooMuch])).to.deep.equal([
      [true, false],
      [false, true],
      [false, true],
    ]);
    expect(notes(done).at(-1)).to.equal(
      'training ends after step 6: answers repeat 92% of what they say, the references 0%; the best checkpoint is of step 2',
    );
    const { ended, best } = JSON.parse(readFileSync(join(done.output, 'training.json'), 'utf8'));
    expect([ended, best.step]).to.deep.equal(['repetition', 2]);
  });

  it('ends with an error where it has only learnt to repeat itself', async () => {
    const rarely = { every: 4, metrics: [], rows: 4, max_tokens: 40, best: 'loss' };
    const { error } = await tried(repeating('stop', { validation: rarely }));
    expect(error).to.be.instanceOf(UserError);
    const { code, message } = (error as UserError).diagnostic;
    expect(code).to.equal('FTP0855');
    expect(message).to.match(
      /^`adapter` has learnt to repeat itself: after step 8, answers repeat \d\d% of what they say, the references 0%$/,
    );
  });

  it('goes on with a note where the file says so', async () => {
    const done = await tried(repeating('warn'));
    expect(done.error).to.equal(undefined);
    expect(validations(done).at(-1)?.step).to.equal(12);
    expect(notes(done).filter((text) => text.startsWith('validation: answers repeat')).length).to.be.above(1);
  });
});
