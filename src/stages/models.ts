import { join, resolve } from 'node:path';
import type { Call, Reference } from '../ir/types.js';
import type { StageContext } from './types.js';

/** A model folder, and the seed of its weights where they are yet to be made. */
export interface ResolvedModel {
  /** Absolute folder in Hugging Face layout. */
  readonly folder: string;
  /** Set by `untrained(…)`: config and tokenizer are the folder's, the weights are random. */
  readonly seed?: number;
  /** How the model is called in files that name their base. */
  readonly label: string;
}

type Place = Pick<StageContext, 'folder'> & {
  readonly host: Pick<StageContext['host'], 'packageFolder'>;
};

const resolvers: Readonly<Record<string, (call: Call, place: Place) => ResolvedModel>> = {
  starter: (_, place) => ({
    folder: join(place.host.packageFolder, 'stdlib', 'models', 'starter'),
    label: 'starter',
  }),
  local: (call, place) => ({
    folder: resolve(place.folder, String(call.args['folder'])),
    label: String(call.args['folder']),
  }),
  untrained: (call, place) => ({
    folder: resolve(place.folder, String(call.args['folder'])),
    seed: Number(call.args['seed']),
    label: String(call.args['folder']),
  }),
};

/** Where a `model` call points; `undefined` for a function that is no model. */
export function resolveModelCall(call: Call, place: Place): ResolvedModel | undefined {
  return resolvers[call.call]?.(call, place);
}

/** Where a setting that names a model points: a call, or the model that an earlier stage put out. */
export function resolveModel(value: Call | Reference, context: StageContext): ResolvedModel {
  if ('call' in value) {
    const found = resolveModelCall(value, context);
    if (found === undefined) throw new Error(`no resolver for the model function ${value.call}`);
    return found;
  }
  const artefact = context.inputs[value.stage];
  const output = artefact?.result.outputs[value.port === '' ? 'model' : value.port];
  if (artefact === undefined || output === undefined)
    throw new Error(`stage ${value.stage} handed on no model`);
  return { folder: join(artefact.path, output), label: `${value.stage}` };
}
