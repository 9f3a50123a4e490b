/** Names that a file declares or imports; read from its tree, so that they are known whatever else is wrong. */
import type { Module } from '../../../language/check/modules.js';
import { functionNamed } from '../../../language/schemas/setting-paths.js';
import type { Word } from '../../../language/syntax/ast.js';
import type { Declaration, DeclarationNode, Target } from './targets.js';

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

const EXPORTED = new Set<Declaration['what']>(['param', 'preset', 'native', 'matrix']);

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
