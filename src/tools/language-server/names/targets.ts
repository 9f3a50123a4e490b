/** What a word of a file refers to. */

import type { Module } from '../../../language/check/modules.js';
import type { ComparisonName } from '../../../language/schemas/comparisons.js';
import type {
  FunctionSchema,
  MetricSchema,
  Port,
  Setting,
  SettingType,
} from '../../../language/schemas/schema.js';
import { functionNamed } from '../../../language/schemas/setting-paths.js';
import type {
  Block,
  Machine,
  Matrix,
  Native,
  Param,
  Preset,
  Secret,
  Word,
} from '../../../language/syntax/ast.js';

/** What a string names: see {@link SettingType}; `file` is the argument of `file(…)`. */
export type PathNames = NonNullable<Extract<SettingType, { kind: 'string' }>['names']> | 'file';

/** What a file declares. */
type DeclarationNode =
  | { readonly what: 'param'; readonly node: Param }
  | { readonly what: 'matrix'; readonly node: Matrix }
  | { readonly what: 'secret'; readonly node: Secret }
  | { readonly what: 'preset'; readonly node: Preset }
  | { readonly what: 'machine'; readonly node: Machine }
  | { readonly what: 'stage' | 'budget'; readonly node: Block }
  | { readonly what: 'native'; readonly node: Native };

export type Declaration = DeclarationNode & { readonly name: Word; readonly module: Module };

export type Target =
  | { readonly kind: 'declared'; readonly declared: Declaration }
  | {
      readonly kind: 'function';
      readonly name: string;
      readonly schema: FunctionSchema;
      readonly declared?: Declaration;
    }
  /** `path` from the block: `lora.rank`. */
  | {
      readonly kind: 'setting';
      readonly owner: string;
      readonly stage?: string;
      readonly path: string;
      readonly setting: Setting;
    }
  | { readonly kind: 'argument'; readonly callee: string; readonly path: string; readonly setting: Setting }
  | { readonly kind: 'port'; readonly stage: Declaration; readonly name: string; readonly port: Port }
  | {
      readonly kind: 'metric';
      readonly owner: string;
      readonly name: string;
      readonly schema: MetricSchema;
      readonly comparison?: ComparisonName;
      /** The stage whose name is before it. */
      readonly stage?: Declaration;
    }
  /** A word that others follow: `baseline`, and `plan` in a test. */
  | { readonly kind: 'root'; readonly name: string; readonly doc: string }
  /** What an expectation of a test looks at: `plan.adapter.steps`. */
  | { readonly kind: 'field'; readonly name: string; readonly doc: string }
  | { readonly kind: 'method'; readonly name: string; readonly owner: string }
  | { readonly kind: 'choice'; readonly value: string; readonly of: SettingType }
  | { readonly kind: 'block_kind'; readonly name: string }
  | { readonly kind: 'param_type'; readonly name: string }
  | { readonly kind: 'module'; readonly name: string; readonly module: Module | undefined }
  /** A file or pattern, relative to the folder of the pipeline. */
  | { readonly kind: 'path'; readonly path: string; readonly names: PathNames };

type Of<K extends Target['kind']> = Extract<Target, { kind: K }>;

const placeId = ({ module, name }: Declaration): string => `${module.path}#${name.text}`;

const IDS: { readonly [K in Target['kind']]?: (target: Of<K>) => string } = {
  declared: ({ declared }) => placeId(declared),
  function: ({ name }) => `function ${name}`,
  setting: ({ owner, path }) => `setting ${owner} ${path}`,
  argument: ({ callee, path }) => `argument ${callee} ${path}`,
  port: ({ stage, name }) => `${placeId(stage)}.${name}`,
  metric: ({ owner, name }) => `metric ${owner} ${name}`,
  root: ({ name }) => `root ${name}`,
  field: ({ name }) => `field ${name}`,
  method: ({ owner, name }) => `method ${owner} ${name}`,
  choice: ({ value }) => `choice ${value}`,
};

/** Targets with equal ids are the same thing; `undefined` for what is not a name, such as a path. */
export function idOf(target: Target): string | undefined {
  // The entry found for `target.kind` takes `target`.
  return (IDS[target.kind] as ((target: Target) => string) | undefined)?.(target);
}

type NamedNode = DeclarationNode & { readonly node: { readonly name: Word } };

const known = new WeakMap<Module, ReadonlyMap<string, Declaration>>();

/** What is in the file itself; of two declarations of a name the first counts. */
export function declaredIn(module: Module): ReadonlyMap<string, Declaration> {
  const before = known.get(module);
  if (before !== undefined) return before;
  const { tree } = module;
  const all: readonly NamedNode[] = [
    ...tree.params.map((node) => ({ what: 'param' as const, node })),
    ...tree.matrices.map((node) => ({ what: 'matrix' as const, node })),
    ...tree.secrets.map((node) => ({ what: 'secret' as const, node })),
    ...tree.presets.map((node) => ({ what: 'preset' as const, node })),
    ...tree.machines.map((node) => ({ what: 'machine' as const, node })),
    ...tree.blocks.map((node) => ({
      what: node.kind.text === 'budget' ? ('budget' as const) : ('stage' as const),
      node,
    })),
    ...tree.natives.map((node) => ({ what: 'native' as const, node })),
  ];
  const found = new Map<string, Declaration>();
  for (const one of all)
    if (one.node.name.text !== '' && !found.has(one.node.name.text))
      found.set(one.node.name.text, { ...one, name: one.node.name, module });
  known.set(module, found);
  return found;
}

export type StageDeclaration = Extract<Declaration, { readonly what: 'stage' | 'budget' }>;

export const stagesIn = (module: Module): readonly StageDeclaration[] =>
  [...declaredIn(module).values()].filter((one): one is StageDeclaration => one.what === 'stage');

const EXPORTED = new Set<Declaration['what']>(['param', 'preset', 'machine', 'native', 'matrix']);

/** What an import may take from a module. */
export const exportsOf = (module: Module): readonly Declaration[] =>
  [...declaredIn(module).values()].filter(({ what }) => EXPORTED.has(what));

/** Every name of the file itself and of its imports. */
export function namesIn(module: Module): ReadonlyMap<string, Target> {
  const names = new Map<string, Target>();
  for (const { statement, module: from } of module.imports)
    for (const { text } of statement.names) {
      const declared = from === undefined ? undefined : declaredIn(from).get(text);
      if (declared !== undefined && !names.has(text)) names.set(text, targetOf(declared));
    }
  for (const [text, declared] of declaredIn(module))
    if (!names.has(text)) names.set(text, targetOf(declared));
  return names;
}

export function targetOf(declared: Declaration): Target {
  const { text } = declared.name;
  const schema = functionNamed(text);
  return declared.what === 'native' && schema !== undefined
    ? { kind: 'function', name: text, schema, declared }
    : { kind: 'declared', declared };
}

/** A function of the library, known or not to the file. */
export function functionTarget(name: string): Target | undefined {
  const schema = functionNamed(name);
  return schema === undefined ? undefined : { kind: 'function', name, schema };
}
