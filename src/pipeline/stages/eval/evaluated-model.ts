import { join } from 'node:path';
import { unreadHead } from '../../../compute/models/adapters/whole.js';
import type { ModelFolder } from '../../../compute/models/load.js';
import type { WeightStore } from '../../../compute/models/types.js';
import { residentStorage } from '../../../compute/models/weights/load.js';
import { openAdapter } from '../../../compute/packaging/adapters.js';
import type { Host } from '../../../language/host/host.js';
import type { Call, Reference } from '../../../language/ir/program.js';
import type { WeightResidency } from '../../../language/ir/runtimes.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { modelIdentity, openResolved } from '../open-models.js';
import { type ResolvedModel, resolveAdapter, resolveModel } from '../resolve-models.js';
import type { Artefact, StageContext } from '../stage.js';
import { readSummary } from '../train/result-files.js';

/** What an `Adapter` or `Model` setting means: a base, the way it is held, and perhaps an adapter over it. */
export interface EvaluatedModel {
  readonly label: string;
  readonly base: ResolvedModel;
  /** `nf4` for an adapter that was trained over a base in four bits: elsewhere it would answer differently. */
  readonly storage: 'stored' | 'nf4';
  /** Absolute folder of the adapter. */
  readonly adapter?: string;
  /** The stage that produced it. */
  readonly artefact?: Artefact;
}

type ModelContext = Pick<StageContext, 'inputs' | 'host' | 'folder'>;

/** Throws a {@link ModelError} if the stage's output is not what it should be. */
export function resolveEvaluated(value: Call | Reference, context: StageContext): EvaluatedModel {
  if ('call' in value) {
    const base = resolveModel(value, context);
    return { label: base.label, base, storage: 'stored' };
  }
  const { artefact, folder } = outputOf(value, context);
  const label = value.port === '' ? value.stage : `${value.stage}.${value.port}`;
  if (context.host.stat(join(folder, 'adapter_config.json')) === undefined) {
    return { label, base: { folder, label }, storage: 'stored', artefact };
  }
  const base = resolveModel(settingsOf(artefact.stage, 'train').base, context);
  const storage = readSummary(context.host, artefact.path)?.method === 'qlora' ? 'nf4' : 'stored';
  return { label, base, storage, adapter: folder, artefact };
}

/**
 * A model, under an adapter if there is one: that of a stage, over the base that it was trained on, or that of a folder, over the
 * model as its weights are stored. Throws a {@link ModelError} if the stage's output is not what it should be.
 */
export function resolveAdapted(
  model: EvaluatedModel,
  adapter: Call | Reference | undefined,
  context: StageContext,
): EvaluatedModel {
  if (adapter === undefined) return model;
  if ('stage' in adapter) return resolveEvaluated(adapter, context);
  const named = resolveAdapter(adapter, context);
  if (named === undefined) throw new Error(`no resolver for the adapter function ${adapter.call}`);
  // whatever made the model says nothing of how the adapter was trained
  return { label: named.label, base: model.base, storage: 'stored', adapter: named.folder };
}

/** The folder that a port outputs: by the port's name, or the only adapter or model of the stage. */
export function outputOf(
  { stage, port }: Reference,
  { inputs }: Pick<ModelContext, 'inputs'>,
): { readonly artefact: Artefact; readonly folder: string } {
  const artefact = inputs[stage];
  const outputs = artefact?.result.outputs ?? {};
  const output = outputs[port] ?? outputs['model'] ?? outputs['adapter'];
  if (artefact === undefined || output === undefined) throw new Error(`stage ${stage} produced no model`);
  return { artefact, folder: join(artefact.path, output) };
}

/** Whether two models have the same weights in memory. */
export function sameWeights(a: EvaluatedModel, b: EvaluatedModel): boolean {
  return modelIdentity(a.base) === modelIdentity(b.base);
}

export interface OpenBase {
  readonly model: ModelFolder;
  readonly weights: WeightStore;
}

/** Reads what an adapter needs of its base, or makes its fresh weights. Throws a {@link ModelError}. */
export function openBase(
  host: Host,
  { base, storage, adapter }: Pick<EvaluatedModel, 'base' | 'storage' | 'adapter'>,
  residency: WeightResidency,
): OpenBase {
  const model = openResolved(host, base);
  const without =
    adapter === undefined ? undefined : unreadHead(model.config, openAdapter(host, adapter).config);
  return {
    model,
    weights: model.loadWeights(residentStorage(residency, model.config, storage, without), { without }),
  };
}
