/** A recorded training, done again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Decoder } from '../../../src/compute/models/decoder/index.js';
import { checkpoints, stepsIn, type TokenRows, train } from '../../../src/compute/training/index.js';
import type { StepRecord } from '../../../src/compute/training/state.js';
import { workFolder } from '../../../src/pipeline/store/index.js';
import { host, largestDifference, type RecordedRun } from './fixture.js';

/**
 * Losses and norms within 1e-5 of themselves, tensors within 1e-4 of their largest value. Implementations of the same rules
 * agree to about 1e-6.
 */
const LOSS = 1e-5;
const NORM = 1e-5;
const TENSOR = 1e-4;

export interface Case {
  readonly run: RecordedRun;
  readonly rows: TokenRows;
  readonly padId: number;
  /** What is compared in the end. */
  outcome(decoder: Decoder): {
    readonly found: ReadonlyMap<string, { readonly data: Float32Array }>;
    readonly expected: ReadonlyMap<string, Float32Array>;
  };
}

/** Trains as it was recorded, compares every step and the tensors of the end, and lets the decoder go. */
export async function agrees(decoder: Decoder, { run, rows, padId, outcome }: Case): Promise<void> {
  try {
    const records = await stepsOf(decoder, run, rows, padId);
    const relative = (field: 'loss' | 'gradNorm'): number =>
      Math.max(
        ...run.history.map((expected, i) =>
          Math.abs((records[i]?.[field] ?? Number.NaN) / expected[field] - 1),
        ),
      );
    expect(records.length).to.equal(run.steps);
    records.forEach(({ learningRate }, i) => {
      expect(learningRate).to.be.closeTo(run.history[i]?.learningRate ?? Number.NaN, 1e-15);
    });
    const { found, expected } = outcome(decoder);
    const difference = largestDifference(found, expected);
    expect(relative('loss')).to.be.below(LOSS);
    expect(relative('gradNorm')).to.be.below(NORM);
    expect(difference).to.be.below(TENSOR);
  } finally {
    await decoder.release();
  }
}

async function stepsOf(
  decoder: Decoder,
  run: RecordedRun,
  rows: TokenRows,
  padId: number,
): Promise<readonly StepRecord[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-oracle-'));
  const records: StepRecord[] = [];
  try {
    await train({
      decoder,
      rows,
      padId,
      settings: {
        rate: run.rate,
        schedule: {
          name: run.schedule,
          warmupSteps: stepsIn({ unit: 'ratio', value: run.warmup }, run.steps),
        },
        optimizer: 'adamw',
        momentum: 0,
        loraplusRatio: run.loraplus ?? 1,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        decay: run.decay,
        clip: run.clip,
        totalSteps: run.steps,
        globalBatch: run.global,
        microBatch: run.micro,
        order: 'file',
        seed: 17,
        every: 50,
      },
      checkpoints: checkpoints({
        host,
        work: workFolder(folder, () => {}),
        digest: 'recorded',
        keep: 1,
        note: () => {},
      }),
      clock: () => host.clock(),
      signal: new AbortController().signal,
      emit: (event) => {
        if (event.type === 'step') records.push(event.record);
      },
    });
    return records;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
