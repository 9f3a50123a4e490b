/** Angles of the rotary embedding and the mask of what a position sees. */

import type { RopeScaling } from '../architectures/blueprint.js';
import { FORK, MASKED } from '../architectures/graphs/attention.js';
import type { Blueprint, Rotary } from '../architectures/index.js';
import type { Batch } from './types.js';

const { fround } = Math;

/**
 * Turns by position of each pair of values, rounded to float32 at the steps where transformers'
 * `modeling_rope_utils.py` rounds, so that far positions turn by the same angle.
 */
function frequencies({ dims, period, theta, scaling }: Rotary, isLong = false): readonly number[] {
  const plain = Array.from({ length: dims / 2 }, (_, pair) => fround(1 / waveOf(theta, pair, period)));
  return scaling === undefined ? plain : scaled(plain, scaling, isLong, period, theta);
}

function scaled(
  plain: readonly number[],
  scaling: RopeScaling,
  isLong: boolean,
  period: number,
  theta: number,
): readonly number[] {
  if (scaling.type === 'linear') return plain.map((frequency) => fround(frequency / scaling.factor));
  if (scaling.type === 'llama3') return plain.map((frequency) => llama3(frequency, scaling));
  if (scaling.type === 'yarn') return yarn(scaling, plain.length, period, theta);
  const divisors = isLong ? scaling.long : scaling.short;
  return plain.map((_, pair) =>
    fround(1 / fround(fround(divisors[pair] ?? 1) * waveOf(theta, pair, period))),
  );
}

/** 1 ÷ frequency. */
const waveOf = (theta: number, pair: number, period: number): number =>
  fround(theta ** fround((2 * pair) / period));

/** YaRN: as Llama 3, but mixed along a line over the frequencies' numbers. */
function yarn(
  scaling: RopeScaling & { readonly type: 'yarn' },
  count: number,
  period: number,
  theta: number,
): readonly number[] {
  const { factor, originalPositions, betaFast, betaSlow, truncate } = scaling;
  const turning = (turns: number): number =>
    (period * Math.log(originalPositions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const whole = (round: (value: number) => number, at: number): number => (truncate ? round(at) : at);
  const first = Math.max(whole(Math.floor, turning(betaFast)), 0);
  const last = Math.min(whole(Math.ceil, turning(betaSlow)), period - 1);
  const width = first === last ? 0.001 : last - first;
  return Array.from({ length: count }, (_, pair) => {
    const wave = waveOf(theta, pair, period);
    const slowed = fround(Math.min(1, Math.max(0, fround(fround(pair - first) / fround(width)))));
    const kept = fround(1 - slowed);
    const slow = fround(fround(1 / fround(factor * wave)) * fround(1 - kept));
    return fround(slow + fround(fround(1 / wave) * kept));
  });
}

/** Llama 3.1: long waves are slowed by the factor, short ones stay, and those between are mixed. */
function llama3(frequency: number, scaling: RopeScaling & { readonly type: 'llama3' }): number {
  const { factor, lowFactor, highFactor, originalPositions } = scaling;
  const wave = fround((2 * Math.PI) / frequency);
  if (wave > originalPositions / lowFactor) return fround(frequency / factor);
  if (wave < originalPositions / highFactor) return frequency;
  const smooth = fround(fround(fround(originalPositions / wave) - lowFactor) / (highFactor - lowFactor));
  return fround(fround(fround(fround(1 - smooth) * frequency) / factor) + fround(smooth * frequency));
}

/** Tokens beyond which LongRoPE turns a text by its other divisors; infinite where a text's length changes nothing. */
export const turningLength = ({ scaling }: Pick<Rotary, 'scaling'>): number =>
  scaling?.type === 'longrope' ? scaling.originalPositions : Number.POSITIVE_INFINITY;

/** The same of a whole model, whose answers are computed again from their start when they grow longer. */
export const turningLengthOf = ({ blocks }: Blueprint): number =>
  Math.min(...Object.values(blocks).map(({ attention: { rotary } }) => turningLength(rotary ?? {})));

/** Cosine and sine by position, `[positions, dims/2]` each. */
export class Angles {
  private readonly short: readonly number[];
  private readonly long: readonly number[];
  private readonly turning: number;
  private readonly factor: number;

  constructor(rotary: Rotary) {
    this.turning = turningLength(rotary);
    this.short = frequencies(rotary);
    this.long = Number.isFinite(this.turning) ? frequencies(rotary, true) : this.short;
    const { scaling } = rotary;
    this.factor = fround(scaling && 'attentionFactor' in scaling ? scaling.attentionFactor : 1);
  }

  /** Writes the angles of one position of a text of so many tokens at `offset`. */
  write(position: number, tokens: number, cos: Float32Array, sin: Float32Array, offset: number): void {
    const turned = this.isLong(tokens) ? this.long : this.short;
    turned.forEach((frequency, pair) => {
      const angle = fround(position * frequency);
      cos[offset + pair] = fround(Math.cos(angle)) * this.factor;
      sin[offset + pair] = fround(Math.sin(angle)) * this.factor;
    });
  }

  /** Whether a text of so many tokens turns by the divisors of long ones. */
  isLong(tokens: number): boolean {
    return tokens > this.turning;
  }

  /** Writes the angles of a token at each of these positions, in a text of so many tokens. */
  at(positions: Int32Array, tokens: Int32Array, cos: Float32Array, sin: Float32Array): void {
    positions.forEach((position, index) => {
      this.write(position, tokens[index] ?? 0, cos, sin, index * this.short.length);
    });
  }

  /** `[rows, length, dims/2]`, for a text of `tokens[row]` tokens in each row, with positions from `first` on. */
  fill(tokens: readonly number[], length: number, cos: Float32Array, sin: Float32Array, first = 0): void {
    const half = this.short.length;
    const written = new Map<boolean, number>();
    tokens.forEach((count, row) => {
      const isLong = this.isLong(count);
      const like = written.get(isLong);
      const to = row * length * half;
      if (like !== undefined) {
        for (const angles of [cos, sin]) angles.copyWithin(to, like, like + length * half);
        return;
      }
      written.set(isLong, to);
      for (let index = 0; index < length; index++)
        this.write(first + index, count, cos, sin, to + index * half);
    });
  }
}

/** Position of each token in its text, where a row is not one text from its start. */
export function placesInTexts({
  length,
  segments,
  forks,
}: Pick<Batch, 'length' | 'segments' | 'forks'>): Int32Array | undefined {
  if (forks !== undefined) return forkPositions(forks, length);
  return segments === undefined ? undefined : textPositions(segments, length);
}

/** The same from the `forks` of a batch: every text goes on from what is shared. Padding is at 0. */
function forkPositions(forks: Int32Array, length: number): Int32Array {
  const positions = new Int32Array(forks.length);
  let [shared, own] = [0, 0];
  forks.forEach((part, index) => {
    if (index % length === 0) [shared, own] = [0, 0];
    if (part === FORK.padding) return;
    if (part === FORK.shared) positions[index] = shared++;
    else {
      if (index % length === 0 || part !== forks[index - 1]) own = shared;
      positions[index] = own++;
    }
  });
  return positions;
}

/** Position of each token in its text, from the `segments` of a batch; both `[rows, length]`. */
export function textPositions(segments: Int32Array, length: number): Int32Array {
  const positions = new Int32Array(segments.length);
  for (let index = 0; index < segments.length; index++) {
    const goesOn = index % length > 0 && segments[index] === segments[index - 1];
    positions[index] = goesOn ? (positions[index - 1] ?? 0) + 1 : 0;
  }
  return positions;
}

/** Tokens of the text that each token belongs to, from its position in that; both `[rows, length]`. */
export function textLengths(positions: Int32Array): Int32Array {
  const lengths = new Int32Array(positions.length);
  for (let index = positions.length - 1; index >= 0; index--) {
    // a text ends where the next one begins
    const ends = (positions[index + 1] ?? 0) === 0;
    lengths[index] = ends ? (positions[index] ?? 0) + 1 : (lengths[index + 1] ?? 0);
  }
  return lengths;
}

/**
 * What texts see of the tokens before them: `[positions, tokens]`, for the position of each token in its text. A window
 * slides over them as over a text.
 */
export function prefixMask(
  positions: Int32Array,
  tokens: number,
  window: number | undefined,
  out: Float32Array,
): void {
  positions.forEach((position, index) => {
    const first = window === undefined ? 0 : Math.min(tokens, Math.max(0, tokens + position + 1 - window));
    out.fill(MASKED, index * tokens, index * tokens + first);
    out.fill(0, index * tokens + first, (index + 1) * tokens);
  });
}

/**
 * `[queries, columns]`: 0 if the column is not after the query, nor out of the window before it; the last column is
 * that of the last query.
 */
export function causalMask(
  [queries, columns]: readonly [number, number],
  window: number | undefined,
  out: Float32Array,
): void {
  for (let query = 0; query < queries; query++) {
    const [row, end] = [query * columns, columns - queries + query + 1];
    const first = window === undefined ? 0 : Math.max(0, end - window);
    out.fill(MASKED, row, row + first);
    out.fill(0, row + first, row + end);
    out.fill(MASKED, row + end, row + columns);
  }
}
