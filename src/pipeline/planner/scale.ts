/** How much a stage works on: rows, tokens, optimiser steps, parameters. */

import { stepsPerEpoch } from '../../compute/training/order.js';
import type { StageKind, Value } from '../../language/ir/program.js';
import { judgesOf } from '../../language/schemas/functions/metric.js';
import type { EvalSettings } from '../../language/schemas/stages/eval.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { coverageOf } from '../stages/train/coverage.js';
import type { StoreEntry } from '../store/index.js';
import type { EstimateInput } from './estimate/index.js';
import { expectedRows, type Lengths, shortened } from './expected-rows.js';
import { decoderShape } from './memory/train.js';
import type { PlanContext } from './plan-context.js';
import type { StageScale } from './plan-json.js';

interface ScaleInput extends EstimateInput {
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
  async data({ context, stage, entry }) {
    const counted = entry?.record.result.metrics['rows'];
    if (counted !== undefined) return { ...UNKNOWN, rows: counted, known: 'counted' };
    const rows = Math.round(expectedRows(context.program, context.host, stage, 'all'));
    return { ...UNKNOWN, rows, known: 'sampled' };
  },
  format: async ({ context, stage, look }) => ({
    ...UNKNOWN,
    ...rowsHeld(await context.lengths(stage.name, 'all', look)),
  }),
  async train({ stage, trainPlan, facts }) {
    if (trainPlan === undefined || facts === undefined) return null;
    const lengths = shortened(facts.rows, trainPlan.maxLength);
    const steps = facts.memory.steps(lengths.rows);
    const texts = facts.memory.preferences?.texts ?? 1;
    const rows = lengths.rows / texts;
    const perRow = lengths.tokens / Math.max(1, rows);
    const seen = rowsSeen(steps, rows, settingsOf(stage, 'train').batch.global);
    const { config, adapter } = decoderShape(facts.memory, trainPlan);
    const { trainable: trainableParameters, all: totalParameters } = coverageOf(config, adapter);
    const tokensSeen = Math.round(perRow * seen);
    return { ...UNKNOWN, ...rowsOf(lengths, texts), steps, tokensSeen, trainableParameters, totalParameters };
  },
  async eval({ context, stage, look }) {
    const settings = settingsOf(stage, 'eval');
    const { dataset, model } = settings;
    const lengths = await context.lengths(dataset.stage, dataset.port, look);
    const judgeCalls = lengths && judgeCallsOf(settings, Math.round(lengths.rows));
    return { ...modelScale(context, model), ...rowsHeld(lengths), ...(judgeCalls ? { judgeCalls } : {}) };
  },
  merge: async ({ context, stage }) => modelScale(context, settingsOf(stage, 'merge').base),
  deploy: async ({ context, stage }) => modelScale(context, settingsOf(stage, 'deploy').model),
};

/** `null` if nothing is known. */
export const scaleOf = (input: ScaleInput): Promise<StageScale | null> => SCALES[input.stage.kind](input);

/** Requests for one row, of each metric that asks a server: for every model, or for both orders of their answers. */
function judgeCallsOf({ metrics, baseline, generation }: EvalSettings, rows: number): number {
  const models = baseline === undefined ? 1 : 2;
  const perRow = judgesOf(metrics).map(({ metric }) => (metric.call === 'preferred' ? 2 : models));
  return Math.min(rows, generation.rows ?? rows) * perRow.reduce((sum, calls) => sum + calls, 0);
}

const rowsHeld = (lengths: Lengths | undefined): Partial<StageScale> =>
  lengths === undefined ? {} : rowsOf(lengths, lengths.isPaired === true ? 2 : 1);

/** `texts`: of a row; two are a pair of answers. */
const rowsOf = (lengths: Lengths, texts: number): Partial<StageScale> => ({
  rows: Math.round(lengths.rows / texts),
  tokens: Math.round(lengths.tokens),
  supervisedTokens: Math.round(lengths.supervised),
  ...(texts === 2 && { pairs: true }),
  known: lengths.known,
});

/** Each pass takes every row once, so that its last step may be a short one. */
function rowsSeen(steps: number, rows: number, global: number): number {
  const perPass = stepsPerEpoch(rows, global);
  return Math.floor(steps / perPass) * rows + Math.min(rows, (steps % perPass) * global);
}

/** The base under a model; an adapter over it is not counted. */
const modelScale = (context: PlanContext, model: Value | undefined): StageScale => ({
  ...UNKNOWN,
  totalParameters: context.models.of(model)?.parameters ?? null,
});
