/** The settings of a stage by their paths: `lora.rank`, `optimizer.schedule.warmup`. */
import type { Stage, Value } from '../../../language/ir/types.js';
import { functions } from '../../../language/schemas/functions/index.js';
import { type Setting, t } from '../../../language/schemas/schema.js';
import { schemas } from '../../../language/schemas/stages/index.js';
import { METHODS } from '../../../language/schemas/types.js';
import { isCall } from '../../../pipeline/planner/models.js';
import { recordFields } from '../../../pipeline/planner/written.js';

export interface FoundSetting {
  readonly path: string;
  readonly setting: Setting;
  /** `undefined` where nothing set it. */
  readonly value: Value | undefined;
  /** It is a record or a call with settings of its own. */
  readonly isWhole: boolean;
  /** What the planner decides, and no block can say. */
  readonly byPlanner?: true;
}

/** What the planner sets of a train stage beside the settings of its schema. */
const PLANNED: Readonly<Record<string, Setting>> = {
  using: {
    type: t.enum(...METHODS).type,
    doc: 'How the base is trained: an adapter (`lora`), one over a 4-bit base (`qlora`), every weight (`full`), or a head over labels alone (`head`).',
    required: false,
  },
  'batch.accumulation': {
    type: t.integer({ min: 1 }).type,
    doc: 'Micro batches of one optimiser step: `batch.global` ÷ `batch.micro`.',
    required: false,
  },
  max_length: {
    type: t.quantity('tokens', { min: 1 }).type,
    doc: 'Longest row that is trained on; longer ones are left out and counted.',
    required: false,
  },
  checkpointed_blocks: {
    type: t.integer({ min: 0 }).type,
    doc: 'Blocks whose activations are computed again in the backward pass, to save memory.',
    required: false,
  },
  recomputed_attention: {
    type: t.integer({ min: 0 }).type,
    doc: 'Blocks that compute at least their attention probabilities again in the backward pass, to save memory.',
    required: false,
  },
  recomputed_mlps: {
    type: t.integer({ min: 0 }).type,
    doc: 'Blocks that compute at least their MLP again in the backward pass, to save memory.',
    required: false,
  },
  materialised: {
    type: t.boolean.type,
    doc: 'The base is materialised as float32, not decoded in every pass, as long as there is memory for it.',
    required: false,
  },
  paged_weights: {
    type: t.boolean.type,
    doc: 'The base stays in its files and is read a block at a time, to save memory.',
    required: false,
  },
  offloaded_state: {
    type: t.number({ above: 0, max: 1 }).type,
    doc: "Fraction of a paged optimiser's state that is offloaded to a file, to save memory.",
    required: false,
  },
  logits_chunk: {
    type: t.integer({ min: 1 }).type,
    doc: 'Tokens whose logits exist at the same time.',
    required: false,
  },
  vocabulary_shard: {
    type: t.integer({ min: 1 }).type,
    doc: 'Tokens of the vocabulary whose logits exist at the same time, to save memory.',
    required: false,
  },
};

/** Every setting that a stage can have, in the order of its schema; records and calls are before what is in them. */
export function settingsOf(stage: Stage): readonly FoundSetting[] {
  const own = inFields(schemas[stage.kind].settings, stage.settings, '');
  if (stage.kind !== 'train') return own;
  const planned = Object.entries(PLANNED).map(
    ([path, setting]): FoundSetting => ({
      path,
      setting,
      value: path === 'using' ? stage.preset : undefined,
      isWhole: false,
      byPlanner: true,
    }),
  );
  return [...own, ...planned];
}

function inFields(
  fields: Readonly<Record<string, Setting>>,
  values: Readonly<Record<string, Value>>,
  prefix: string,
): readonly FoundSetting[] {
  return Object.entries(fields).flatMap(([name, setting]) => {
    const path = `${prefix}${name}`;
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    const inner = insideOf(setting, value);
    return [
      { path, setting, value, isWhole: inner !== undefined },
      ...(inner === undefined ? [] : inFields(inner.fields, inner.values, `${path}.`)),
    ];
  });
}

function insideOf(setting: Setting, value: Value | undefined) {
  if (isCall(value)) {
    const schema = Object.hasOwn(functions, value.call) ? functions[value.call] : undefined;
    const fields = schema?.args ?? {};
    return Object.keys(fields).length === 0 ? undefined : { fields, values: value.args };
  }
  const fields = recordFields(setting.type);
  const isRecord =
    value === undefined || (value !== null && typeof value === 'object' && !Array.isArray(value));
  if (fields === undefined || !isRecord || (setting.type.kind === 'union' && value === undefined))
    return undefined;
  return { fields, values: (value ?? {}) as Readonly<Record<string, Value>> };
}
