/** What a stage's settings say that can change its artefact, leaf by leaf; paths of files give way to their content. */
import { relative } from 'node:path';
import type { Digests } from '../../language/host/digests.js';
import type { Host } from '../../language/host/host.js';
import type { Call, Program, StageKind, Value } from '../../language/ir/program.js';
import { isCall, isFile, isRecord, isReference, isSecret } from '../../language/ir/values.js';
import { functions } from '../../language/schemas/functions/index.js';
import { isShipped } from '../../language/schemas/functions/source.js';
import { repositoryOf } from '../../language/schemas/repositories.js';
import type { Setting } from '../../language/schemas/schema.js';
import { recordFields } from '../../language/schemas/setting-paths.js';
import { sourcePaths } from '../stages/data/sources.js';
import { modelFiles } from '../stages/open-models.js';
import { adapterPaths, type NamedAdapter, resolveAdapter } from '../stages/resolve-models.js';
import { canonical } from './canonical.js';
import { type RootModel, rootModel } from './stage-models.js';

/** One thing that a key is made of. */
export interface KeyPart {
  /** What people and reasons call it: `settings.lora.rank`, `file:data/legal/a.jsonl`, `stage:dialogs`. */
  readonly name: string;
  /** What the key calls it: free of names of files and stages, so that renaming changes no key. */
  readonly identity: string;
  readonly value: string;
}

export interface KeyPartsContext {
  readonly program: Program;
  readonly host: Host;
  readonly digests: Pick<Digests, 'of'>;
  /** Of the stage whose key it is. */
  readonly kind: StageKind;
  /** Key of an earlier stage. */
  keyOf(stage: string): string;
}

/** Files of a model: all of them, or all but the weights. */
export type ModelContent = 'all' | 'tokenizer';

/**
 * Parts of a setting, down to its leaves: files and models count by their content, stages by their keys, secrets not
 * at all.
 */
export function settingParts(
  path: string,
  value: Value | undefined,
  setting: Setting | undefined,
  context: KeyPartsContext,
  content: ModelContent,
): readonly KeyPart[] {
  if (value === undefined || setting?.inert === true || isSecret(value)) return [];
  const leaf = (leafValue: unknown): KeyPart => {
    const text = canonical(leafValue);
    return { name: path, identity: path, value: text };
  };
  if (isReference(value)) {
    const key = context.keyOf(value.stage);
    return [leaf(value.port), { name: `stage:${value.stage}`, identity: `input:${path}`, value: key }];
  }
  if (isFile(value)) return [{ name: `file:${value.file}`, identity: `file:${path}`, value: value.sha256 }];
  if (isCall(value)) {
    const schema = functions[value.call];
    const args = Object.entries(value.args);
    const argParts = ([name, arg]: readonly [string, Value]): readonly KeyPart[] =>
      settingParts(`${path}.${name}`, arg, schema?.args[name], context, content);
    if (schema?.family === 'model') {
      const root = rootModel(context.program, value, context.host);
      return root === undefined ? [leaf(value)] : modelParts(path, root, context, content);
    }
    const adapter = resolveAdapter(value, context.program);
    if (adapter !== undefined) return [leaf(value.call), ...adapterParts(path, adapter, context)];
    if (schema?.family === 'source')
      return [
        leaf(isOnHub(value) ? 'jsonl' : value.call),
        ...sourceParts(path, value, context),
        ...args.filter(([name]) => !LOCATING.has(name)).flatMap(argParts),
      ];
    return [leaf(value.call), ...args.flatMap(argParts)];
  }
  if (Array.isArray(value))
    return value.length === 0
      ? [leaf(value)]
      : value.flatMap((item: Value, index) =>
          settingParts(`${path}.${index}`, item, undefined, context, content),
        );
  if (isRecord(value) && !('unit' in value)) {
    const fields = recordFields(setting?.type);
    return Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, field]) => settingParts(`${path}.${name}`, field, fields?.[name], context, content));
  }
  return [leaf(value)];
}

/** Config, tokenizer, template and weights of a model; for random weights the seed in their place. */
function modelParts(
  path: string,
  { model }: RootModel,
  { host, digests }: KeyPartsContext,
  content: ModelContent,
): readonly KeyPart[] {
  const parts = modelFiles(host, model, content).map((file) => ({
    name: `file:${model.label}/${file.name}`,
    identity: `model:${path}/${file.name}`,
    value: digests.of(file.path),
  }));
  const own = (name: string, value: string): KeyPart => ({
    name: `${path}.${name}`,
    identity: `${path}.${name}`,
    value,
  });
  const { seed, specialTokens, plainTokens } = model;
  return [
    ...parts,
    ...(specialTokens === undefined ? [] : [own('special_tokens', JSON.stringify(specialTokens))]),
    ...(plainTokens === undefined ? [] : [own('added_tokens', JSON.stringify(plainTokens))]),
    ...(seed === undefined || content === 'tokenizer' ? [] : [own('seed', String(seed))]),
  ];
}

function adapterParts(
  path: string,
  adapter: NamedAdapter,
  { host, digests, kind }: KeyPartsContext,
): readonly KeyPart[] {
  return adapterPaths(adapter, { host }, kind).map((file) => ({
    name: `file:${adapter.label}/${file.name}`,
    identity: `adapter:${path}/${file.name}`,
    value: digests.of(file.path),
  }));
}

/** Arguments of a source that say where its files are. */
const LOCATING: ReadonlySet<string> = new Set([
  'files',
  'repository',
  'revision',
  'split',
  'commit',
  'found',
]);

/** Where rows are from does not change them: their files do, and how they are read. */
function sourceParts(
  path: string,
  call: Call,
  { program, host, digests }: KeyPartsContext,
): readonly KeyPart[] {
  return sourcePaths(call, program.folder, host).map((file, index) => ({
    name: `file:${isOnHub(call) || isShipped(call) ? file.name : relative(program.folder, file.path)}`,
    identity: `file:${path}:${index}`,
    value: digests.of(file.path),
  }));
}

const isOnHub = (call: Call): boolean => repositoryOf(call) !== undefined;
