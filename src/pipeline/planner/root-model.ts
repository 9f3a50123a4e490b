/** Which model folder is at the root of what a stage trains, evaluates, merges or takes its tokenizer from. */

import type { Host } from '../../language/host/host.js';
import type { Program, Stage, Value } from '../../language/ir/program.js';
import { isCall, isReference } from '../../language/ir/values.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { type ResolvedModel, resolveModelCall } from '../stages/resolve-models.js';

/** How a stage holds weights that an earlier stage wrote; `file` if they are still those of the folder. */
export type WeightOrigin = 'file' | 'f32' | 'f16' | 'bf16';

export interface RootModel {
  readonly model: ResolvedModel;
  /** What the weights are stored as when the stage reads them. */
  readonly weights: WeightOrigin;
  /** Train stage whose adapter lies over the base, if any. */
  readonly adapterOf?: string;
  /** Train stage that the weights come from, by full training or a merge. */
  readonly trainedBy?: string;
}

export const stageNamed = (program: Program, name: string): Stage | undefined =>
  program.stages.find((stage) => stage.name === name);

/** `undefined` for a value that names no model; a checked program has none. */
export function rootModel(program: Program, value: Value | undefined, host: Host): RootModel | undefined {
  if (isCall(value)) {
    const model = resolveModelCall(value, { folder: program.folder, host });
    return model === undefined ? undefined : { model, weights: model.seed === undefined ? 'file' : 'f32' };
  }
  if (!isReference(value)) return undefined;
  const stage = stageNamed(program, value.stage);
  if (stage?.kind === 'train') {
    const base = rootModel(program, settingsOf(stage, 'train').base, host);
    if (base === undefined) return undefined;
    return stage.preset === 'full'
      ? { ...base, weights: 'f32', trainedBy: stage.name }
      : { ...base, adapterOf: stage.name };
  }
  if (stage?.kind === 'merge') {
    const settings = settingsOf(stage, 'merge');
    const base = rootModel(program, settings.base, host);
    if (base === undefined) return undefined;
    const { adapter, dtype: weights } = settings;
    return { ...base, weights, ...(adapter === undefined ? {} : { trainedBy: adapter.stage }) };
  }
  return undefined;
}
