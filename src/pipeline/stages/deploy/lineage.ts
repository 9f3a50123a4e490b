import { join } from 'node:path';
import type { Call, Reference, Value } from '../../../language/ir/types.js';
import type { Artefact, StageContext } from '../../../language/schemas/types.js';
import { outputOf, resolveSubject } from '../eval/subject.js';
import { type ResolvedModel, resolveModel } from '../model-places.js';

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
  const { storage } = resolveSubject(reference, context);
  const base = artefact.stage.settings['base'];
  if (!isModelValue(base)) return { base: { folder, label: reference.stage }, adapter, storage };
  if ('call' in base) return { base: resolveModel(base, context), adapter, storage };
  const before = lineageOf(base, context);
  return { ...before, adapter: adapter ?? before.adapter, storage };
}

/** The adapter that a merge stage took. */
function adapterIn(merge: Artefact, context: StageContext): Lineage['adapter'] {
  const adapter = merge.stage.settings['adapter'];
  return isModelValue(adapter) && 'stage' in adapter ? outputOf(adapter, context) : undefined;
}

function isModelValue(value: Value | undefined): value is Call | Reference {
  return typeof value === 'object' && value !== null && ('call' in value || 'stage' in value);
}
