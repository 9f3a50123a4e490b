import { join } from 'node:path';
import type { Reference } from '../../../language/ir/program.js';
import { isCall, isReference } from '../../../language/ir/values.js';
import { outputOf, resolveEvaluated } from '../eval/evaluated-model.js';
import { type ResolvedModel, resolveModel } from '../resolve-models.js';
import type { Artefact, StageContext } from '../stage.js';

/** Where a model came from: back over merges and trainings to the one that no stage made. */
export interface Lineage {
  readonly base: ResolvedModel;
  /** The stage whose adapter is in it, the last one where there are several. */
  readonly adapter?: { readonly artefact: Artefact; readonly folder: string };
  /** How the base was held while the adapter was trained. */
  readonly storage: 'stored' | 'nf4';
}

export function lineageOf(reference: Reference, context: StageContext): Lineage {
  const { artefact, folder } = outputOf(reference, context);
  const isAdapter = context.host.stat(join(folder, 'adapter_config.json')) !== undefined;
  const adapter = isAdapter ? { artefact, folder } : adapterIn(artefact, context);
  const { storage } = resolveEvaluated(reference, context);
  const base = artefact.stage.settings['base'];
  if (isCall(base)) return { base: resolveModel(base, context), adapter, storage };
  if (!isReference(base)) return { base: { folder, label: reference.stage }, adapter, storage };
  const before = lineageOf(base, context);
  return { ...before, adapter: adapter ?? before.adapter, storage };
}

/** The adapter that a merge stage took. */
function adapterIn(merge: Artefact, context: StageContext): Lineage['adapter'] {
  const adapter = merge.stage.settings['adapter'];
  return isReference(adapter) ? outputOf(adapter, context) : undefined;
}
