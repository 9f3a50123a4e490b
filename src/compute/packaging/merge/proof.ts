import type { Span } from '../../../language/source/span.js';
import type { LanguageModel, Routing } from '../../evaluation/language-model.js';
import { GGUF_TYPES } from '../gguf/types.js';
import { isInBlocks, type StoredAs } from './dtypes.js';
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

/** Runs a model over each probe by itself. */
export async function probeLogits(
  model: Pick<LanguageModel, 'logits'>,
  probes: readonly Int32Array[],
  routing?: Routing,
): Promise<ProbeLogits> {
  const logits: Float32Array[] = [];
  for (const ids of probes) logits.push(await model.logits(ids, routing));
  return logits;
}

interface ProofInput {
  readonly base: ProbeLogits;
  /** Base with adapter; the base itself if there is none. */
  readonly adapted: ProbeLogits;
  readonly merged: ProbeLogits;
  readonly probes: readonly Int32Array[];
  /** Of a classifier, whose logits are over these. */
  readonly labels?: readonly string[] | undefined;
  readonly stored: StoredAs;
  /** Whether there is an adapter, so that something must have changed. */
  readonly hasAdapter: boolean;
  readonly at?: Span;
}

/**
 * Proves a merge: it answers as base and adapter do (within the dtype's tolerance), it is not the base, and rounding
 * has not swallowed what was trained. Throws a `UserError` if one of them fails.
 */
export function proveMerge(input: ProofInput): LogitDifferences {
  const { base, adapted, merged, stored, hasAdapter, at } = input;
  const differences: LogitDifferences = {
    relative: relativeDifference(input),
    logit: largestDifference(merged, adapted),
    effect: largestDifference(adapted, base),
    scale: Math.max(...adapted.map((logits) => logits.reduce((most, x) => Math.max(most, Math.abs(x)), 0))),
  };
  const { dtype } = stored;
  const { tolerance } = GGUF_TYPES[dtype];
  if (hasAdapter && differences.effect === 0) throw adapterWithoutEffect(at);
  // Written so that a difference that is not a number fails.
  if (!(differences.relative <= tolerance)) throw mergeDiffers(differences, { dtype, tolerance }, at);
  const isLost = isInBlocks(stored)
    ? squaredDistance(merged, adapted) >= squaredDistance(merged, base)
    : differences.logit >= differences.effect;
  if (hasAdapter && isLost) throw effectLost(differences, dtype, at);
  return differences;
}

/**
 * Root mean square of merged − adapted over that of adapted. Of logits over a vocabulary, the mean of each token's is left out: it
 * says nothing of the next token. NaN where any logit is not a number.
 */
function relativeDifference({ merged, adapted, probes, labels }: ProofInput): number {
  let [difference, scale] = [0, 0];
  for (const [i, logits] of adapted.entries()) {
    const other = merged[i] ?? new Float32Array(0);
    const { length } = logits;
    const form = { length, ...(labels === undefined && { width: length / (probes[i]?.length ?? 1) }) };
    difference += squares(form, (j) => (other[j] ?? Number.NaN) - (logits[j] as number));
    scale += squares(form, (j) => logits[j] as number);
  }
  return difference === 0 ? 0 : Math.sqrt(difference / scale);
}

/** The sum of squares; with a width, of what is left of each row without its mean. */
function squares(
  { length, width }: { readonly length: number; readonly width?: number },
  value: (at: number) => number,
): number {
  const step = width ?? length;
  let total = 0;
  for (let from = 0; from < length; from += step) {
    let mean = 0;
    if (width !== undefined) for (let at = from; at < from + step; at++) mean += value(at) / step;
    for (let at = from; at < from + step; at++) total += (value(at) - mean) ** 2;
  }
  return total;
}

/**
 * Blocks move single logits further than a small adapter does, to either side; what was trained is there as long as the whole
 * is nearer to it than to the base.
 */
function squaredDistance(a: ProbeLogits, b: ProbeLogits): number {
  let sum = 0;
  for (const [i, logits] of a.entries()) {
    const other = b[i] ?? new Float32Array(0);
    for (let j = 0; j < logits.length; j++) sum += ((logits[j] as number) - (other[j] ?? Number.NaN)) ** 2;
  }
  return sum;
}

/** e to the mean cross entropy of every token of the probes but the first, given those before it. `logits`: `[tokens, vocab]`. */
export function probePerplexity(logits: ProbeLogits, probes: readonly Int32Array[]): number {
  let [sum, count] = [0, 0];
  for (const [probe, ids] of probes.entries()) {
    const all = logits[probe] ?? new Float32Array(0);
    const width = all.length / ids.length;
    for (let at = 1; at < ids.length; at++) {
      const row = all.subarray((at - 1) * width, at * width);
      const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const total = row.reduce((partial, logit) => partial + Math.exp(logit - most), 0);
      sum += Math.log(total) + most - (row[ids[at] ?? 0] as number);
      count++;
    }
  }
  return Math.exp(count === 0 ? 0 : sum / count);
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
