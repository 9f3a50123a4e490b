/** Where the value of a setting was written: the expression in the block, or in the preset that set it. */
import { textAt } from '../../../language/check/stage-settings.js';
import type { CheckedStage } from '../../../language/check/stages.js';
import type { Analysis } from '../../../language/compile.js';
import type { PresetOrigin } from '../../../language/ir/program.js';
import type { Span } from '../../../language/source/span.js';
import { positionAt, type SourceMap } from '../../../language/source/text.js';
import type { Expression, Preset, Property } from '../../../language/syntax/ast.js';

/** Line and column from 1. */
export interface FilePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export const placeOf = ({ file, start }: Span, sources: SourceMap): FilePlace | undefined => {
  const source = sources.get(file);
  return source === undefined ? undefined : { file, ...positionAt(source, start) };
};

export const placeText = ({ file, line, column }: FilePlace): string => `${file}:${line}:${column}`;

/** What a block has at a path; `undefined` if it says nothing of it. */
export const writtenIn = ({ block }: CheckedStage, path: string): Expression | undefined =>
  expressionAt(block.properties, path);

/** The expression that a path leads to, or the last one on the way that decides it as a whole. */
export function expressionAt(properties: readonly Property[], path: string): Expression | undefined {
  const text = textAt(properties, path);
  if (text === undefined) return undefined;
  const { expression, isWhole } = text;
  return isWhole || (expression.kind !== 'record' && expression.kind !== 'call') ? expression : undefined;
}

export function declarationOf({ modules }: Analysis, { preset, module }: PresetOrigin): Preset | undefined {
  const found = [...modules.values()].find(({ name }) => name === module);
  return found?.tree.presets.find(({ name }) => name.text === preset);
}
