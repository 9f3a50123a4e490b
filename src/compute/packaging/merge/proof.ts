import type { Span } from '../../../language/source/span.js';
import type { LanguageModel } from '../../evaluation/language-model.js';
import { type MergeDtype, mergeDtypes } from './dtypes.js';
import {
  adapterWithoutEffect,
  effectLost,
  type LogitDifferences,
  mergeDiffers,
} from './merge-diagnostics.js';

/** Longest probe in tokens, and how many there are at most: some logits of every layer's doing, not a benchmark. */
export const PROBE_TOKENS = 32;
export const MOST_PROBES = 4;

/** Logits of each probe, `[tokens, vocab]`. */
export type ProbeLogits = readonly Float32Array[];

export async function probeLogits(
  model: Pick<LanguageModel, 'logits'>,
  probes: readonly Int32Array[],
): Promise<ProbeLogits> {
  const logits: Float32Array[] = [];
  for (const ids of probes) logits.push(await model.logits(ids));
  return logits;
}

export interface ProofInput {
  readonly base: ProbeLogits;
  /** Base with adapter; the base itself if there is none. */
  readonly adapted: ProbeLogits;
  readonly merged: ProbeLogits;
  readonly dtype: MergeDtype;
  /** Whether there is an adapter, so that something must have changed. */
  readonly hasAdapter: boolean;
  readonly at?: Span;
}

/**
 * Proves a merge: it answers as base and adapter do (within the dtype's tolerance), it is not the base, and rounding
 * has not swallowed what was trained. Throws a `UserError` if one of them fails.
 */
export function proveMerge({ base, adapted, merged, dtype, hasAdapter, at }: ProofInput): LogitDifferences {
  const differences: LogitDifferences = {
    logit: largestDifference(merged, adapted),
    effect: largestDifference(adapted, base),
    scale: Math.max(...adapted.map((logits) => logits.reduce((most, x) => Math.max(most, Math.abs(x)), 0))),
  };
  const { tolerance } = mergeDtypes[dtype];
  if (hasAdapter && differences.effect === 0) throw adapterWithoutEffect(at);
  // Written so that a difference that is not a number fails.
  if (!(differences.logit <= tolerance * differences.scale))
    throw mergeDiffers(differences, { dtype, tolerance }, at);
  if (hasAdapter && differences.logit >= differences.effect) throw effectLost(differences, dtype, at);
  return differences;
}

/** NaN where any logit is not a number. */
export function largestDifference(a: ProbeLogits, b: ProbeLogits): number {
  let largest = 0;
  for (const [i, logits] of a.entries()) {
    const other = b[i] ?? new Float32Array(0);
    for (let j = 0; j < logits.length; j++) {
      const difference = Math.abs((logits[j] as number) - (other[j] ?? Number.NaN));
      if (Number.isNaN(difference)) return Number.NaN;
      if (difference > largest) largest = difference;
    }
  }
  return largest;
}
