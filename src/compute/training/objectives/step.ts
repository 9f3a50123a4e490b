import { clipFactor } from '../clip.js';
import { notFinite } from '../failures.js';
import type { Updater } from '../optimizers/optimizer.js';
import { type PreferenceInput, type PreferenceLoss, preferenceLoss } from './batch-loss.js';

interface PreferenceStepInput extends PreferenceInput {
  readonly updater: Updater;
  /** Rows of the global batch. */
  readonly rows: Uint32Array;
  readonly seed: number;
  /** From 1. */
  readonly step: number;
  readonly rate: number;
  /** Largest global norm of the gradient; default: not clipped. */
  readonly clip?: number;
}

interface PreferenceStepOutput extends PreferenceLoss {
  readonly gradNorm: number;
  /** Tokens of all texts, without padding. */
  readonly tokens: number;
}

/** One optimiser step over preferences. Parameters change only at the end, so that a step that throws has changed nothing. */
export async function preferenceStep(input: PreferenceStepInput): Promise<PreferenceStepOutput> {
  const { decoder, updater, source, rows, seed, step, rate } = input;
  decoder.zeroGradients();
  const found = await preferenceLoss(input, rows, { seed, step });
  if (!Number.isFinite(found.loss)) throw notFinite('loss', found.loss, step, rate);
  const gradNorm = await updater.norm();
  if (!Number.isFinite(gradNorm)) throw notFinite('gradient norm', gradNorm, step, rate);
  await updater.update(step, rate, clipFactor(gradNorm, input.clip));
  return { ...found, gradNorm, tokens: rows.reduce((total, row) => total + source.tokensOf(row), 0) };
}
