import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Decoder } from '../../../src/compute/models/decoder/types.js';
import { StepOutOfMemoryError } from '../../../src/compute/training/failures.js';
import {
  checkpoints,
  type TrainingEvent,
  type TrainingResult,
  type TrainingSettings,
  train,
} from '../../../src/compute/training/index.js';
import type { TrainOptions } from '../../../src/compute/training/loop.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import type { WorkFolder } from '../../../src/language/ir/outputs.js';
import { workFolder } from '../../../src/pipeline/store/index.js';
import { bigramDecoder, bigramRows, type Hooks } from './bigram.js';
import { host } from './fixture.js';

const SETTINGS: TrainingSettings = {
  rate: 0.05,
  schedule: { name: 'cosine', warmupSteps: 2 },
  optimizer: 'adamw',
  momentum: 0,
  loraplusRatio: 1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  decay: 0.01,
  clip: 1,
  totalSteps: 23,
  globalBatch: 5,
  microBatch: 2,
  order: 'shuffled',
  seed: 17,
  every: 4,
};

interface Trial {
  readonly decoder: Decoder;
  readonly events: readonly TrainingEvent[];
  readonly result?: TrainingResult;
  readonly error?: unknown;
}

describe('the training loop', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-loop-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  interface TrialOptions {
    readonly settings?: Partial<TrainingSettings>;
    readonly hooks?: Hooks;
    readonly digest?: string;
    readonly keep?: number;
    readonly controller?: AbortController;
    readonly clock?: () => number;
    readonly validate?: boolean;
    readonly inFile?: number;
    readonly around?: (work: WorkFolder) => WorkFolder;
  }

  async function trial(options: TrialOptions = {}): Promise<Trial> {
    const decoder = bigramDecoder(options.hooks);
    const events: TrainingEvent[] = [];
    const work = workFolder(folder, () => {});
    const offload =
      options.inFile === undefined ? undefined : { pages: work.pages('optimizer'), fraction: options.inFile };
    const given: TrainOptions = {
      offload,
      decoder,
      rows: bigramRows(32),
      validation: options.validate === false ? undefined : bigramRows(7, 3),
      padId: 0,
      settings: { ...SETTINGS, ...options.settings },
      checkpoints: checkpoints({
        host,
        work: options.around?.(work) ?? work,
        digest: options.digest ?? 'same',
        keep: options.keep ?? 2,
        note: (text) => events.push({ type: 'note', text }),
      }),
      clock: options.clock ?? (() => host.clock()),
      signal: (options.controller ?? new AbortController()).signal,
      emit: (event) => events.push(event),
    };
    try {
      return { decoder, events, result: await train(given) };
    } catch (error) {
      return { decoder, events, error };
    } finally {
      offload?.pages.close();
    }
  }

  const tableOf = ({ decoder }: Trial): number[] => [...(decoder.parameters.get('table')?.data ?? [])];
  const steps = ({ events }: Trial) =>
    events.flatMap((event) => (event.type === 'step' ? [event.record] : []));
  const notes = ({ events }: Trial) => events.flatMap((event) => (event.type === 'note' ? [event.text] : []));

  it('learns, and reports every step', async () => {
    const done = await trial();
    const records = steps(done);
    expect(done.result?.ending).to.equal('steps');
    expect(records.map(({ step }) => step)).to.deep.equal(Array.from({ length: 23 }, (_, i) => i + 1));
    expect(records[0]?.learningRate).to.equal(0);
    expect(records[6]?.epoch).to.equal(1);
    expect(records.at(-1)?.loss).to.be.below((records[0]?.loss ?? 0) - 0.3);
    const validated = done.events.flatMap((event) => (event.type === 'validation' ? [event.step] : []));
    expect(validated).to.deep.equal([4, 8, 12, 16, 20, 23]);
    expect(done.result?.state.best?.step).to.be.oneOf(validated);
  });

  it('ends with the same bytes where the state of the optimiser is in a file, also when it is gone on from', async () => {
    const settings = { optimizer: 'adamw8bit' as const };
    const bytesOf = (): Buffer => readFileSync(join(folder, 'step-000023', 'optimizer.safetensors'));
    const whole = await trial({ settings });
    const expected = bytesOf();
    rmSync(folder, { recursive: true });
    const controller = new AbortController();
    const beforeAccumulate = (step: number): void => {
      if (step === 13) controller.abort(new Error('stop'));
    };
    await trial({ settings, inFile: 1, controller, hooks: { beforeAccumulate } });
    const paged = await trial({ settings, inFile: 0.5 });
    expect(notes(paged)[0]).to.match(/^resuming from the checkpoint of step 1[23]$/);
    expect(tableOf(paged)).to.deep.equal(tableOf(whole));
    expect(bytesOf().equals(expected)).to.equal(true);
    expect(readdirSync(folder).filter((name) => !name.startsWith('step-'))).to.deep.equal([]);
  });

  it('asks for noise within α ÷ √(length of the longest row · width)', async () => {
    const asked: (readonly [number | undefined, number])[] = [];
    const beforeAccumulate: Hooks['beforeAccumulate'] = (_, __, { rows, length, labels }, noise) => {
      const ends = Array.from({ length: rows }, (___, row) => {
        const own = labels.subarray(row * length, (row + 1) * length);
        return own.findLastIndex((label) => label !== -100) + 1;
      });
      asked.push([noise, Math.max(...ends)]);
    };
    const { decoder } = await trial({ settings: { noise: 5, totalSteps: 2 }, hooks: { beforeAccumulate } });
    const { hiddenSize } = decoder.options.config;
    expect(asked.length).to.equal(6);
    for (const [noise, longest] of asked)
      expect(noise).to.be.closeTo(5 / Math.sqrt(longest * hiddenSize), 1e-12);
  });

  it('has the same loss whatever the micro batch', async () => {
    const whole = steps(await trial({ settings: { microBatch: 5 } }));
    rmSync(folder, { recursive: true });
    const single = steps(await trial({ settings: { microBatch: 1 } }));
    whole.forEach(({ loss, gradNorm }, i) => {
      expect(single[i]?.loss).to.be.closeTo(loss, 1e-6);
      expect(single[i]?.gradNorm).to.be.closeTo(gradNorm, 1e-5);
    });
  });

  it('takes the gradient as it is where it is not clipped, and still reports its norm', async () => {
    const optimizer = 'sgd' as const;
    const tables: number[][] = [];
    for (const clip of [undefined, 1e9, 0.01]) {
      const done = await trial({ settings: { optimizer, rate: 0.1, clip } });
      tables.push(tableOf(done));
      expect(steps(done).map(({ gradNorm }) => gradNorm > 0.01)).to.not.include(false);
      rmSync(folder, { recursive: true });
    }
    expect(tables[0]).to.deep.equal(tables[1]);
    expect(tables[0]).to.not.deep.equal(tables[2]);
  });

  it('keeps the newest checkpoints and the best', async () => {
    // A rate that makes the loss worse, so that the first checkpoint stays the best.
    const done = await trial({
      settings: { rate: 5, clip: 100, schedule: { name: 'constant', warmupSteps: 0 } },
    });
    const best = done.result?.state.best?.step;
    expect(best).to.be.below(20);
    const expected = [best, 20, 23].map((step) => `step-${String(step).padStart(6, '0')}`);
    expect(readdirSync(folder).sort()).to.deep.equal(expected);
  });

  it('goes on after an abort at any micro batch as if nothing had been', async () => {
    const undisturbed = tableOf(await trial());
    for (const stop of [1, 2, 13, 24, 57]) {
      rmSync(folder, { recursive: true });
      const controller = new AbortController();
      const reason = new Error('asked to stop');
      let seen = 0;
      const beforeAccumulate = (): void => {
        if (++seen === stop) controller.abort(reason);
      };
      const stopped = await trial({ controller, hooks: { beforeAccumulate } });
      expect(stopped.error).to.equal(reason);
      const resumed = await trial();
      expect(tableOf(resumed), `stopped at micro batch ${stop}`).to.deep.equal(undisturbed);
      const all = [...steps(stopped), ...steps(resumed)].map(({ step }) => step);
      expect(all).to.deep.equal(Array.from({ length: 23 }, (_, i) => i + 1));
      expect(resumed.result?.state.steps.length).to.equal(23);
    }
  });

  it('validates on resume what an abort in the middle of a validation left out', async () => {
    const undisturbed = (await trial()).result?.state;
    rmSync(folder, { recursive: true });
    const controller = new AbortController();
    let seen = 0;
    const beforeLoss = (): void => {
      if (++seen === 6) controller.abort(new Error('stop'));
    };
    const stopped = await trial({ controller, hooks: { beforeLoss } });
    expect(stopped.error).to.be.instanceOf(Error);
    const resumed = (await trial()).result?.state;
    expect(resumed?.validations).to.deep.equal(undisturbed?.validations);
    expect(resumed?.best).to.deep.equal(undisturbed?.best);
  });

  it('saves the state and says so when a step finds no memory, and can go on with a smaller micro batch', async () => {
    const undisturbed = tableOf(await trial());
    rmSync(folder, { recursive: true });
    const beforeAccumulate = (step: number): void => {
      if (step === 7) throw new RangeError('Array buffer allocation failed');
    };
    const starved = await trial({ hooks: { beforeAccumulate } });
    expect(starved.error).to.be.instanceOf(StepOutOfMemoryError).with.property('step', 7);
    expect(readdirSync(folder).sort()).to.deep.equal(['step-000004', 'step-000006']);
    const resumed = await trial({ settings: { microBatch: 1 } });
    expect(steps(resumed)[0]?.step).to.equal(7);
    tableOf(resumed).forEach((value, i) => {
      expect(value).to.be.closeTo(undisturbed[i] ?? Number.NaN, 1e-4);
    });
  });

  it('ends with what writing a checkpoint in the background has failed with', async () => {
    const full = new Error('the disk is full');
    const failed = await trial({
      around: (work) => ({
        ...work,
        commit: async (name, files) => {
          if (name === 'step-000008') throw full;
          await work.commit(name, files);
        },
      }),
    });
    expect(failed.error).to.equal(full);
    expect(steps(failed).at(-1)?.step).to.be.within(8, 12);
    expect(readdirSync(folder)).to.deep.equal(['step-000004']);
    expect(notes(await trial())[0]).to.equal('resuming from the checkpoint of step 4');
  });

  it('does not take another error for a want of memory', async () => {
    const bug = new Error('a bug');
    const failed = await trial({
      hooks: {
        beforeAccumulate: () => {
          throw bug;
        },
      },
    });
    expect(failed.error).to.equal(bug);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  for (const [name, value] of [
    ['not a number', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
  ] as const) {
    it(`stops at a gradient that is ${name} and names the step`, async () => {
      const afterAccumulate = (gradient: Float32Array, step: number): void => {
        if (step === 6) gradient[0] = value;
      };
      const failed = await trial({ hooks: { afterAccumulate } });
      expect(failed.error).to.be.instanceOf(UserError);
      const { message, help } = (failed.error as UserError).diagnostic;
      expect(message).to.contain('gradient norm of step 6').and.to.contain(name);
      expect(help).to.contain('rate');
      expect(tableOf(failed).every(Number.isFinite)).to.equal(true);
    });
  }

  it('ends after validations without a better loss', async () => {
    const done = await trial({
      settings: { rate: 5, clip: 100, schedule: { name: 'constant', warmupSteps: 0 }, patience: 2, every: 1 },
    });
    const best = done.result?.state.best?.step ?? 0;
    expect(done.result?.ending).to.equal('patience');
    expect(done.result?.state.step).to.equal(best + 2);
  });

  it('lets the rate fall where validations find no better loss, also after a kill', async () => {
    const plateau = { factor: 0.5, patience: 0, threshold: 0 };
    const settings = {
      ...{ rate: 5, clip: 100, every: 1 },
      schedule: { name: 'reduce_on_plateau', warmupSteps: 0, plateau },
    } as const;
    const controller = new AbortController();
    const beforeAccumulate = (step: number): void => {
      if (step === 12) controller.abort(new Error('stop'));
    };
    const first = await trial({ settings, controller, hooks: { beforeAccumulate } });
    const second = await trial({ settings });
    const taken = [...steps(first), ...steps(second)];
    let rate = 5;
    let best = Number.POSITIVE_INFINITY;
    const losses = new Map(second.result?.state.validations.map(({ step, loss }) => [step, loss]));
    for (const { step, learningRate } of taken) {
      expect(learningRate, `step ${step}`).to.equal(rate);
      const loss = losses.get(step) ?? 0;
      if (loss >= best) rate *= 0.5;
      best = Math.min(best, loss);
    }
    expect(rate).to.be.below(5);
  });

  it('ends when its time is over, counting what earlier runs spent', async () => {
    let time = 0;
    // Each look at the clock takes 100 ms.
    const clock = (): number => {
      time += 100;
      return time;
    };
    const controller = new AbortController();
    const beforeAccumulate = (step: number): void => {
      if (step === 3) controller.abort(new Error('stop'));
    };
    await trial({ settings: { wall: 2 }, clock, controller, hooks: { beforeAccumulate } });
    const first = await trial({ settings: { wall: 2 }, clock });
    expect(first.result?.ending).to.equal('wall');
    expect(first.result?.state.step).to.be.within(3, 10);
    expect(first.result?.state.seconds).to.be.at.least(2);
    expect(first.result?.state.validations.at(-1)?.step).to.equal(first.result?.state.step);
    const again = await trial({ settings: { wall: 2 }, clock });
    expect(steps(again)).to.deep.equal([]);
  });

  it('leaves a checkpoint of other settings alone, with a note', async () => {
    await trial({ settings: { totalSteps: 8 }, digest: 'other' });
    const done = await trial();
    expect(steps(done)[0]?.step).to.equal(1);
    expect(notes(done).join()).to.contain('of other settings');
  });

  it('falls back to the checkpoint before a damaged one', async () => {
    const undisturbed = tableOf(await trial());
    writeFileSync(join(folder, 'step-000023', 'optimizer.safetensors'), 'not what was written');
    const resumed = await trial();
    expect(steps(resumed).map(({ step }) => step)).to.deep.equal([21, 22, 23]);
    expect(tableOf(resumed)).to.deep.equal(undisturbed);
  });

  it('gives no NaN for a batch without a supervised token', async () => {
    const decoder = bigramDecoder();
    const unsupervised = { ids: Int32Array.of(1, 2), labels: Int32Array.of(-100, -100) };
    const { state } = await train({
      decoder,
      rows: { count: 1, lengthOf: () => 2, read: () => unsupervised },
      padId: 0,
      settings: { ...SETTINGS, totalSteps: 2 },
      checkpoints: checkpoints({
        host,
        work: workFolder(folder, () => {}),
        digest: '',
        keep: 1,
        note: () => {},
      }),
      clock: () => 0,
      signal: new AbortController().signal,
      emit: () => {},
    });
    expect(state.steps.map(({ loss }) => loss)).to.deep.equal([0, 0]);
    expect([...(decoder.parameters.get('table')?.data ?? [])].every(Number.isFinite)).to.equal(true);
  });

  it('says nothing of a training that goes well', async () => {
    expect(notes(await trial())).to.deep.equal([]);
  });
});
