/** Trainings with preferences that TRL 1.16 was recorded with (`test/fixtures/preferences/record.py`). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { adapterShapes } from '../../../../src/compute/models/adapters/kinds.js';
import { openModel } from '../../../../src/compute/models/load.js';
import type { Adapter } from '../../../../src/compute/models/types.js';
import type { PreferenceRows } from '../../../../src/compute/training/objectives/rows.js';
import { ruleOf } from '../../../../src/compute/training/objectives/rules.js';
import type { PreferenceObjective } from '../../../../src/compute/training/objectives/types.js';
import { float32Tensors, host } from '../fixture.js';

export const folder = join(host.packageFolder, 'test', 'fixtures', 'preferences');
const json = <T>(name: string): T => JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;

interface Recorded {
  readonly globalBatch: number;
  readonly steps: number;
  readonly rate: number;
  readonly clip: number;
  readonly families: Readonly<Record<string, Readonly<Record<string, RecordedRun>>>>;
}

export interface RecordedRun {
  readonly objective: PreferenceObjective['kind'];
  readonly loss?: 'ipo' | 'hinge';
  readonly beta?: number;
  readonly gamma?: number;
  readonly smoothing?: number;
  readonly sft?: number;
  readonly desirable?: number;
  readonly undesirable?: number;
  /** Answers are compared with those of another model. */
  readonly reference?: boolean;
  readonly history: readonly RecordedStep[];
}

interface RecordedStep {
  readonly loss: number;
  readonly gradNorm: number;
  readonly chosen: number | null;
  readonly rejected: number | null;
  readonly accuracy?: number;
  readonly kl?: number;
}

interface Pair {
  readonly prompt: readonly number[];
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
  readonly label: boolean;
}

export const recorded = json<Recorded>('runs.json');
export const pairs = json<readonly Pair[]>('pairs.json');
const TARGETS: Readonly<Record<string, readonly string[]>> = {
  gpt2: ['c_attn', 'c_proj'],
};

export function objectiveOf(run: RecordedRun): PreferenceObjective {
  const { beta = 0, gamma = 0, desirable = 1, undesirable = 1 } = run;
  switch (run.objective) {
    case 'dpo':
      return {
        kind: 'dpo',
        beta,
        loss: run.loss ?? 'sigmoid',
        labelSmoothing: run.smoothing ?? 0,
        sft: run.sft ?? 0,
      };
    case 'kto':
      return { kind: 'kto', beta, desirable, undesirable };
    case 'simpo':
      return { kind: 'simpo', beta, gamma };
    case 'orpo':
      return { kind: 'orpo', beta };
    case 'reward':
      return { kind: 'reward' };
  }
}

const text = ({ prompt }: Pair, answer: readonly number[]) => ({
  ids: Int32Array.from([...prompt, ...answer]),
  labels: Int32Array.from([...prompt.map(() => -100), ...answer]),
});

/** The recorded rows, with the lengths of all their texts. */
export interface RecordedRows extends PreferenceRows {
  lengthsOf(row: number): readonly number[];
}

export function rowsFor(objective: PreferenceObjective): RecordedRows {
  const isPaired = ruleOf(objective).rows === 'pairs';
  const at = (row: number): Pair => pairs[row] ?? { prompt: [], chosen: [], rejected: [], label: false };
  const lengths = (row: number): readonly number[] => {
    const { prompt, chosen, rejected } = at(row);
    return (isPaired ? [chosen, rejected] : [chosen]).map((answer) => prompt.length + answer.length);
  };
  return {
    count: pairs.length,
    limit: 128,
    lengthsOf: lengths,
    lengthOf: (row) => Math.max(...lengths(row)),
    tokensOf: (row) => lengths(row).reduce((sum, length) => sum + length, 0),
    read(row) {
      const pair = at(row);
      return isPaired
        ? { chosen: text(pair, pair.chosen), rejected: text(pair, pair.rejected) }
        : { answer: text(pair, pair.chosen), isDesirable: pair.label };
    },
  };
}

/** The adapter that a family's trainings begin with. */
export function startOf(family: string, { kind }: PreferenceObjective): Adapter {
  const { config: base } = openModel(host, join(folder, family));
  const config: LoraConfig = {
    ...{ kind: 'lora', rank: 4, alpha: 8, dropout: 0 },
    targets: TARGETS[family] ?? ['q_proj', 'v_proj', 'down_proj'],
    ...(kind === 'reward' && { labels: ['score'] }),
  };
  const start = float32Tensors(join(folder, `${family}-initial.safetensors`));
  const tensors = adapterShapes(base, config).map(
    ({ name, shape }) => [name, { shape, data: Float32Array.from(start.get(name) ?? []) }] as const,
  );
  return { config, tensors: new Map(tensors) };
}

/** The other model that answers of a family are compared with. */
export const otherOf = (family: string): string => join(folder, `${family}-other`);

/** The tensors that a training ends with. */
export const finalOf = (family: string, run: string) =>
  float32Tensors(join(folder, `${family}-${run}-final.safetensors`));
