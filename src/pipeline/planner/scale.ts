/** How much a stage works on: rows, tokens, optimiser steps, parameters. */

import { stepsPerEpoch } from '../../compute/training/order.js';
import type { Stage, StageKind, Value } from '../../language/ir/types.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { coverageOf } from '../stages/train/coverage.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import type { StoreEntry } from '../store/index.js';
import { type Lengths, shortened } from './lengths.js';
import { decoderShape } from './memory/train.js';
import { expectedRows } from './row-sources.js';
import type { TrainFacts } from './train-stage.js';
import type { StageScale } from './types.js';
import type { PlanWorld } from './world.js';

export interface ScaleInput {
  readonly world: PlanWorld;
  readonly stage: Stage;
  /** Train stages. */
  readonly chosen?: TrainPlan;
  readonly facts?: TrainFacts;
  /** False for a cached stage: only what costs nothing is looked up. */
  readonly look: boolean;
  /** Of a cached stage. */
  readonly entry?: StoreEntry;
}

type Measure = (input: ScaleInput) => Promise<StageScale | null>;

const UNKNOWN: StageScale = {
  rows: null,
  tokens: null,
  supervisedTokens: null,
  steps: null,
  tokensSeen: null,
  trainableParameters: null,
  totalParameters: null,
  known: null,
};

const SCALES: Readonly<Record<StageKind, Measure>> = {
  async data({ world, stage, entry }) {
    const counted = entry?.record.result.metrics['rows'];
    if (counted !== undefined) return { ...UNKNOWN, rows: counted, known: 'counted' };
    const rows = Math.round(expectedRows(world.program, world.host, stage, 'all'));
    return { ...UNKNOWN, rows, known: 'sampled' };
  },
  format: async ({ world, stage, look }) => ({
    ...UNKNOWN,
    ...rowsOf(await world.lengths(stage.name, 'all', look)),
  }),
  async train({ stage, chosen, facts }) {
    if (chosen === undefined || facts === undefined) return null;
    const lengths = shortened(facts.memory.lengths, chosen.maxLength);
    const steps = facts.memory.steps(lengths.rows);
    const perRow = lengths.tokens / Math.max(1, lengths.rows);
    const seen = rowsSeen(steps, lengths.rows, settingsOf(stage, 'train').batch.global);
    return {
      ...UNKNOWN,
      ...rowsOf(lengths),
      steps,
      tokensSeen: Math.round(perRow * seen),
      ...parametersOf(chosen, facts),
    };
  },
  async eval({ world, stage, look }) {
    const { dataset, model } = settingsOf(stage, 'eval');
    const lengths = await world.lengths(dataset.stage, dataset.port, look);
    return { ...modelScale(world, model), ...rowsOf(lengths) };
  },
  merge: async ({ world, stage }) => modelScale(world, settingsOf(stage, 'merge').base),
  deploy: async ({ world, stage }) => modelScale(world, settingsOf(stage, 'deploy').model),
};

/** `null` if nothing is known. */
export const scaleOf = (input: ScaleInput): Promise<StageScale | null> => SCALES[input.stage.kind](input);

const rowsOf = (lengths: Lengths | undefined): Partial<StageScale> =>
  lengths === undefined
    ? {}
    : {
        rows: Math.round(lengths.rows),
        tokens: Math.round(lengths.tokens),
        supervisedTokens: Math.round(lengths.supervised),
        known: lengths.known,
      };

/** Each pass takes every row once, so that its last step may be a short one. */
function rowsSeen(steps: number, rows: number, global: number): number {
  const perPass = stepsPerEpoch(rows, global);
  return Math.floor(steps / perPass) * rows + Math.min(rows, (steps % perPass) * global);
}

/** As PEFT's `print_trainable_parameters` counts: all are the base's and the adapter's; a tied head counts once. */
function parametersOf(
  chosen: TrainPlan,
  { memory }: TrainFacts,
): Pick<StageScale, 'trainableParameters' | 'totalParameters'> {
  const { config, adapter } = decoderShape(memory, chosen);
  const { trainable, all } = coverageOf(config, adapter);
  return { trainableParameters: trainable, totalParameters: all };
}

/** The base under a model; an adapter over it is not counted. */
const modelScale = (world: PlanWorld, model: Value | undefined): StageScale => ({
  ...UNKNOWN,
  totalParameters: world.models.of(model)?.parameters ?? null,
});
