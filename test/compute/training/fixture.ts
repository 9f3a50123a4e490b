import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '../../../src/compute/models/safetensors/read.js';
import type { TokenRows } from '../../../src/compute/training/index.js';
import type { ScheduleName } from '../../../src/compute/training/schedule.js';
import { nodeHost } from '../../../src/language/host/node-host.js';

export const host = nodeHost();
const folder = join(host.packageFolder, 'test', 'fixtures', 'training');

export const fixturePath = (name: string): string => join(folder, name);

export function fixtureJson<T>(name: string): T {
  return JSON.parse(readFileSync(fixturePath(name), 'utf8')) as T;
}

export interface RecordedRun {
  readonly rate: number;
  readonly schedule: ScheduleName;
  readonly warmup: number;
  readonly steps: number;
  readonly decay: number;
  readonly clip: number;
  readonly global: number;
  readonly micro: number;
  /** Tokens that the base got, and the ids of the recorded rows in whose places they are. */
  readonly added?: readonly string[];
  readonly replaced?: Readonly<Record<number, number>>;
  /** Rate of B over that of A. */
  readonly loraplus?: number;
  /** Of the labels. */
  readonly smoothing?: number;
  readonly history: readonly {
    readonly loss: number;
    readonly gradNorm: number;
    readonly learningRate: number;
  }[];
}

export type RunName =
  | 'lora'
  | 'dora'
  | 'loraplus'
  | 'smoothed'
  | 'outer'
  | 'outer-gpt2'
  | 'tokens'
  | 'biases'
  | 'biases-of-layers'
  | 'qlora'
  | 'full'
  | 'pissa'
  | 'prompt'
  | 'houlsby'
  | 'pfeiffer'
  | 'prefix'
  | 'prefix-projection'
  | 'qlora-dora'
  | 'qlora-pissa'
  | 'qlora-prefix';

export const recordedRun = (name: RunName): RecordedRun =>
  ({
    ...fixtureJson<Record<RunName, RecordedRun>>('runs.json'),
    ...fixtureJson<Partial<Record<RunName, RecordedRun>>>('runs-bottleneck.json'),
    ...fixtureJson<Partial<Record<RunName, RecordedRun>>>('runs-biases.json'),
    ...fixtureJson<Partial<Record<RunName, RecordedRun>>>('runs-outer.json'),
    ...fixtureJson<Partial<Record<RunName, RecordedRun>>>('runs-tokens.json'),
  })[name];

export function recordedRows({ replaced = {} }: Pick<RecordedRun, 'replaced'> = {}): TokenRows {
  const inPlace = (id: number): number => replaced[id] ?? id;
  return tokenRows(
    fixtureJson<{ ids: number[]; labels: number[] }[]>('rows.json').map(({ ids, labels }) => ({
      ids: ids.map(inPlace),
      labels: labels.map(inPlace),
    })),
  );
}

export function tokenRows(
  rows: readonly { readonly ids: readonly number[]; readonly labels: readonly number[] }[],
): TokenRows {
  const at = (row: number) => {
    const found = rows[row];
    if (found === undefined) throw new RangeError(`no row ${row}`);
    return found;
  };
  return {
    count: rows.length,
    lengthOf: (row) => at(row).ids.length,
    read: (row) => ({ ids: Int32Array.from(at(row).ids), labels: Int32Array.from(at(row).labels) }),
  };
}

export const recordedTensors = (name: string): ReadonlyMap<string, Float32Array> =>
  float32Tensors(fixturePath(name));

/** The tensors of a safetensors file that has float32 alone. */
export function float32Tensors(path: string): ReadonlyMap<string, Float32Array> {
  const file = openSafetensors(host, path);
  return new Map(
    [...file.tensors].map(([tensor, entry]) => {
      const bytes = file.read(entry);
      return [tensor, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)];
    }),
  );
}

/** Largest difference over all tensors, each as a share of its largest value. */
export function largestDifference(
  found: ReadonlyMap<string, { readonly data: Float32Array }>,
  expected: ReadonlyMap<string, Float32Array>,
): number {
  let worst = 0;
  for (const [name, values] of expected) {
    const data = found.get(name)?.data;
    if (data === undefined || data.length !== values.length) throw new Error(`${name} is missing`);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    values.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - (data[i] ?? Number.NaN)) / largest);
    });
  }
  return worst;
}
