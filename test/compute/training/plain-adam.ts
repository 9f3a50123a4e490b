/** AdamW's step as plain loops: what the kernel must equal bit for bit. */
import { dynamicMap, nearest } from '../../../src/compute/training/optimizers/adam-kernel.js';
import type { RuleInput } from '../../../src/compute/training/optimizers/optimizer.js';

const { fround } = Math;

/** Elements `first … end` of a parameter; the moments begin at `first`. */
export function adamStep(
  { parameter: { data }, gradient, options, decay, step, rate, gradientScale }: RuleInput,
  m: Float32Array,
  v: Float32Array,
  first: number,
  end: number,
): void {
  const { beta1, beta2, epsilon } = options;
  const [keep1, keep2] = [fround(beta1), fround(beta2)];
  const [take1, take2] = [fround(1 - beta1), fround(1 - beta2)];
  const keep = 1 - rate * decay;
  const correction = Math.sqrt(1 - beta2 ** step);
  // m̂ ÷ (√v̂ + ε), both sides times the correction of √v: a division fewer an element
  const stepSize = (rate / (1 - beta1 ** step)) * correction;
  const small = epsilon * correction;
  for (let i = first; i < end; i++) {
    const g = fround((gradient[i] as number) * gradientScale);
    const mean = fround(fround((m[i - first] as number) * keep1) + g * take1);
    const square = fround(fround((v[i - first] as number) * keep2) + fround(fround(take2 * g) * g));
    m[i - first] = mean;
    v[i - first] = square;
    data[i] = (data[i] as number) * keep - (stepSize * mean) / (Math.sqrt(square) + small);
  }
}

const BLOCK = 256;
const MEANS = dynamicMap(true);
const SQUARES = dynamicMap(false);

/** Moments of 8 bits, in blocks that share their largest magnitude. */
export function adam8bitStep(input: RuleInput): void {
  const { m, v } = input.slots as Readonly<Record<string, Uint8Array>>;
  const { m_absmax: meanScales, v_absmax: squareScales } = input.slots as Readonly<
    Record<string, Float32Array>
  >;
  if (m === undefined || v === undefined || meanScales === undefined || squareScales === undefined)
    throw new Error('a slot is missing');
  const [means, squares] = [new Float32Array(BLOCK), new Float32Array(BLOCK)];
  for (let block = 0; block * BLOCK < m.length; block++) {
    const [first, end] = [block * BLOCK, Math.min((block + 1) * BLOCK, m.length)];
    decode(m, MEANS, meanScales, block, means);
    decode(v, SQUARES, squareScales, block, squares);
    adamStep(input, means, squares, first, end);
    encode(means, MEANS, meanScales, block, m);
    encode(squares, SQUARES, squareScales, block, v);
  }
}

function decode(
  codes: Uint8Array,
  map: Float32Array,
  scales: Float32Array,
  block: number,
  out: Float32Array,
): void {
  const first = block * BLOCK;
  const scale = scales[block] as number;
  const count = Math.min(BLOCK, codes.length - first);
  for (let i = 0; i < count; i++) out[i] = (map[codes[first + i] as number] as number) * scale;
}

function encode(
  values: Float32Array,
  map: Float32Array,
  scales: Float32Array,
  block: number,
  codes: Uint8Array,
): void {
  const first = block * BLOCK;
  const count = Math.min(BLOCK, codes.length - first);
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(values[i] as number));
  scales[block] = largest;
  const inverse = largest === 0 ? 0 : Math.fround(1 / largest);
  for (let i = 0; i < count; i++)
    codes[first + i] = nearest(map, Math.fround((values[i] as number) * inverse));
}
