import { join, resolve } from 'node:path';
import { type NewTokens, newTokensOf } from '../../compute/models/added-tokens.js';
import { CHAT_TEMPLATE } from '../../compute/models/chat-template/index.js';
import { TRAINING_PROMPT_FILE } from '../../compute/models/training-prompt.js';
import { ModelError } from '../../compute/models/types.js';
import { ADAPTER_FILES } from '../../compute/packaging/adapters.js';
import type { Call, Reference, StageKind } from '../../language/ir/program.js';
import { adapters as functions } from '../../language/schemas/functions/model.js';
import { pinnedCommit, repositoryOf } from '../../language/schemas/repositories.js';
import { cachedCommit, snapshotFolder } from './hub-repositories.js';
import type { StageContext } from './stage.js';

/** Where a model is, and the seed of its weights if they are yet to be made. */
export interface ResolvedModel extends NewTokens {
  /** Absolute path of a folder in Hugging Face layout, or of a GGUF file. */
  readonly folder: string;
  /** Set by `untrained(…)`: config and tokenizer are the folder's, the weights are random. */
  readonly seed?: number;
  /** The commit of a model of the Hub. Its folder is shared with other programs: only what a model needs counts there. */
  readonly commit?: string;
  /** How the model is called in files that name their base. */
  readonly label: string;
  /** Only its shape is known: lengths of texts are estimated. */
  readonly isShape?: true;
}

/** A file of a model or of an adapter. */
export interface ModelPath {
  /** Name in the folder. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

/** Argument of a call whose model is planned by its shape alone; no pipeline can write it. */
export const SHAPE = 'shape';

type ModelContext = Pick<StageContext, 'folder' | 'host'>;

const standingAt =
  (argument: string) =>
  (call: Call, place: ModelContext): ResolvedModel => ({
    folder: resolve(place.folder, String(call.args[argument])),
    label: String(call.args[argument]),
    ...shapeOf(call),
  });

const shapeOf = ({ args }: Call): Pick<ResolvedModel, 'isShape'> =>
  args[SHAPE] === true ? { isShape: true } : {};

/** A call that nobody pinned stands for what the cache holds: an editor and `check` ask no server. */
function onHub(call: Call, { host }: ModelContext): ResolvedModel {
  const repository = repositoryOf(call);
  const commit = pinnedCommit(call) ?? (repository && cachedCommit(host, repository));
  const { id = '', revision = '' } = repository ?? {};
  if (repository === undefined || commit === undefined)
    throw new ModelError(
      'model_not_found',
      id,
      `No commit of ${revision} is known here.`,
      'Run ftpc lock or ftpc plan.',
    );
  return { folder: snapshotFolder(host, repository, commit), label: id, commit, ...shapeOf(call) };
}

const resolvers: Readonly<Record<string, (call: Call, place: ModelContext) => ResolvedModel>> = {
  starter: (_, place) => ({
    folder: join(place.host.packageFolder, 'stdlib', 'models', 'starter'),
    label: 'starter',
  }),
  local: standingAt('folder'),
  hf: onHub,
  gguf: standingAt('file'),
  untrained: (call, place) => ({
    ...standingAt('folder')(call, place),
    seed: Number(call.args['seed']),
  }),
};

/** Where a `model` call points; `undefined` for a function that is not a model. */
export function resolveModelCall(call: Call, place: ModelContext): ResolvedModel | undefined {
  const found = resolvers[call.call]?.(call, place);
  return found && { ...found, ...newTokensIn(call) };
}

function newTokensIn({ args }: Call): NewTokens {
  const named = (argument: string): readonly string[] | undefined => {
    const tokens = args[argument];
    return Array.isArray(tokens) ? tokens.map(String) : undefined;
  };
  return newTokensOf({ specialTokens: named('special_tokens'), plainTokens: named('added_tokens') });
}

/** Where a setting that names a model points: a call, or the model that an earlier stage put out. */
export function resolveModel(
  value: Call | Reference,
  context: Pick<StageContext, 'folder' | 'host' | 'inputs'>,
): ResolvedModel {
  if ('call' in value) {
    const found = resolveModelCall(value, context);
    if (found === undefined) throw new Error(`no resolver for the model function ${value.call}`);
    return found;
  }
  const artefact = context.inputs[value.stage];
  const output = artefact?.result.outputs[value.port === '' ? 'model' : value.port];
  if (artefact === undefined || output === undefined)
    throw new Error(`stage ${value.stage} produced no model`);
  return { folder: join(artefact.path, output), label: `${value.stage}` };
}

export interface NamedAdapter {
  /** Absolute path of a folder as PEFT or AdapterHub saves it. */
  readonly folder: string;
  /** As the file has it. */
  readonly label: string;
}

/** Where an `adapter` call points; `undefined` for a function that is no adapter. */
export function resolveAdapter(
  { call, args }: Call,
  { folder }: Pick<StageContext, 'folder'>,
): NamedAdapter | undefined {
  if (!Object.hasOwn(functions, call)) return undefined;
  const label = String(args['folder']);
  return { folder: resolve(folder, label), label };
}

/** What a kind of stage reads of an adapter's folder besides: how the rows asked that it was trained on goes on in a merge. */
const READ_BESIDES: Readonly<Partial<Record<StageKind, readonly string[]>>> = {
  merge: [CHAT_TEMPLATE, TRAINING_PROMPT_FILE],
};

/** The files that decide what a stage makes of an adapter: what digests are made of. Those that are not there are left out. */
export function adapterPaths(
  { folder }: NamedAdapter,
  { host }: Pick<StageContext, 'host'>,
  reader: StageKind,
): readonly ModelPath[] {
  return [...ADAPTER_FILES, ...(READ_BESIDES[reader] ?? [])].flatMap((name) => {
    const path = join(folder, name);
    const stat = host.stat(path);
    return stat === undefined || stat.isFolder ? [] : [{ name, path, bytes: stat.size }];
  });
}
