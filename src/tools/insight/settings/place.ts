/** Where the value of a setting was written: the expression in the block, or in the preset that set it. */
import type { CheckedStage } from '../../../language/check/stages.js';
import type { Analysis } from '../../../language/compile.js';
import type { PresetOrigin } from '../../../language/ir/types.js';
import { functions } from '../../../language/schemas/functions/index.js';
import type { Span } from '../../../language/source/span.js';
import { positionAt, type SourceMap } from '../../../language/source/text.js';
import type { Expression, Preset, Property } from '../../../language/syntax/ast.js';

/** Line and column from 1. */
export interface FilePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Written {
  readonly span: Span;
  readonly expression: Expression;
}

export const placeOf = ({ file, start }: Span, sources: SourceMap): FilePlace | undefined => {
  const source = sources.get(file);
  return source === undefined ? undefined : { file, ...positionAt(source, start) };
};

export const placeText = ({ file, line, column }: FilePlace): string => `${file}:${line}:${column}`;

/** As the block has it; `undefined` where the block says nothing of it. */
export const writtenIn = ({ block }: CheckedStage, path: string): Written | undefined =>
  expressionAt(block.properties, path);

/** The expression that a path leads to, or the last one on the way that decides it as a whole. */
export function expressionAt(properties: readonly Property[], path: string): Written | undefined {
  const [first = '', ...rest] = path.split('.');
  const property = properties.find(({ key }) => key.text === first);
  if (property === undefined) return undefined;
  let { value: expression } = property;
  for (const key of rest) {
    const next = inside(expression, key);
    if (next === undefined)
      return expression.kind === 'record' || expression.kind === 'call'
        ? undefined
        : { span: expression.span, expression };
    expression = next;
  }
  return { span: expression.span, expression };
}

function inside(expression: Expression, key: string): Expression | undefined {
  if (expression.kind === 'record') return expression.entries.find((entry) => entry.key.text === key)?.value;
  if (expression.kind !== 'call') return undefined;
  const named = expression.args.find(({ name }) => name?.text === key);
  if (named !== undefined) return named.value;
  const position = functions[expression.callee.text]?.positional.indexOf(key) ?? -1;
  return expression.args.filter(({ name }) => name === undefined)[position]?.value;
}

/** The preset of a path, which may lie inside a value that a preset set as a whole. */
export function presetOf({ stage }: CheckedStage, path: string): PresetOrigin | undefined {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.'))))
    if (stage.presets !== undefined && Object.hasOwn(stage.presets, at)) return stage.presets[at];
  return undefined;
}

export function declarationOf({ modules }: Analysis, { preset, module }: PresetOrigin): Preset | undefined {
  const found = [...modules.values()].find(({ name }) => name === module);
  return found?.tree.presets.find(({ name }) => name.text === preset);
}
