/** Texts that probably mean something else: names of files, and texts with a blank to fill, `"out/${name}"`. */
import { resolve } from 'node:path';
import { nameAsText, notFilledIn } from '../diagnostics/catalogue/values.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { functions } from '../schemas/functions/index.js';
import type { Setting, SettingType } from '../schemas/schema.js';
import type { Expression, Property } from '../syntax/ast.js';
import { withParts } from '../syntax/references.js';
import type { FolderAccess } from './context.js';
import type { Module } from './modules.js';
import { isValue, type Scope } from './scope.js';
import type { Stages } from './stage-settings.js';
import type { CheckedStage } from './stages.js';

type Call = Extract<Expression, { kind: 'call' }>;

/** `chat(system: "prompts/legal.md")` says the name to the model, not what is in the file. */
export function fileTexts({ block }: CheckedStage, _: Stages, access: FolderAccess): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const { value } of block.properties)
    for (const part of withParts(value))
      if (part.kind === 'call' && ARGUMENTS.has(part.callee.text)) found.push(...namesIn(part, access));
  return found;
}

function namesIn({ callee, args }: Call, { host, folder }: FolderAccess): readonly Diagnostic[] {
  return args.flatMap(({ name, value }) => {
    const isAsked = name !== undefined && ARGUMENTS.get(callee.text)?.has(name.text) === true;
    if (!isAsked || value.kind !== 'string' || value.value === '') return [];
    const stat = host.stat(resolve(folder, value.value));
    return stat?.isFolder === false ? [nameAsText(value.span, value.value)] : [];
  });
}

const takesBoth = (type: SettingType): boolean =>
  type.kind === 'union' && ['file', 'string'].every((kind) => type.of.some((one) => one.kind === kind));

/** By function: its arguments that take a text and a file. */
const ARGUMENTS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(functions).flatMap(([name, { args }]) => {
    const both = Object.keys(args).filter((key) => takesBoth((args[key] as Setting).type));
    return both.length === 0 ? [] : [[name, new Set(both)]];
  }),
);

/** Blanks as other languages know them. Only names of parameters and matrices are told: any other text may be intended. */
export function blanksInTexts({ tree, source }: Module, scope: Scope): readonly Diagnostic[] {
  if (!source.text.includes('${')) return [];
  const properties: readonly Property[] = [...tree.blocks, ...tree.presets, ...tree.machines].flatMap(
    (declaration) => declaration.properties,
  );
  const values = [...properties, ...tree.params].flatMap(({ value }) => (value === undefined ? [] : [value]));
  return values.flatMap(withParts).flatMap((part) => {
    if (part.kind !== 'string') return [];
    const blanks = [...part.value.matchAll(/\$\{(\w+)\}/g)];
    const found = blanks.find(([, name = '']) => isValue(scope.own.get(name)));
    return found === undefined ? [] : [notFilledIn(part.span, found[0], found[1] ?? '')];
  });
}
