/** Texts that are names of files: `chat(system: "prompts/legal.md")` says the name to the model, not what is in the file. */
import { resolve } from 'node:path';
import { nameAsText } from '../diagnostics/catalogue/values.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { functions } from '../stages/functions/index.js';
import type { SettingType } from '../stages/schema.js';
import type { Expression } from '../syntax/ast.js';
import { withParts } from '../syntax/references.js';
import type { Stages } from './consistency.js';
import type { World } from './context.js';
import type { CheckedStage } from './stages.js';

type Call = Extract<Expression, { kind: 'call' }>;

export function fileTexts({ block }: CheckedStage, _: Stages, world: World): readonly Diagnostic[] {
  return block.properties
    .flatMap(({ value }) => withParts(value))
    .flatMap((part) => (part.kind === 'call' ? namesIn(part, world) : []));
}

function namesIn({ callee, args }: Call, { host, folder }: World): readonly Diagnostic[] {
  const schema = Object.hasOwn(functions, callee.text) ? functions[callee.text] : undefined;
  return args.flatMap(({ name, value }) => {
    const type =
      name && schema && Object.hasOwn(schema.args, name.text) ? schema.args[name.text]?.type : undefined;
    if (value.kind !== 'string' || value.value === '' || type === undefined || !takesBoth(type)) return [];
    const stat = host.stat(resolve(folder, value.value));
    return stat?.isFolder === false ? [nameAsText(value.span, value.value)] : [];
  });
}

const takesBoth = (type: SettingType): boolean =>
  type.kind === 'union' && ['file', 'string'].every((kind) => type.of.some((one) => one.kind === kind));
