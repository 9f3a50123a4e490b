/** Where the value of a setting was written: the expression in the block, or in the preset that set it. */

import type { Context } from '../../../language/check/context.js';
import { FILES, type ParamValues } from '../../../language/check/overrides.js';
import { textAt } from '../../../language/check/stage-settings.js';
import type { CheckedStage } from '../../../language/check/stages.js';
import type { Analysis } from '../../../language/compile.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { PresetOrigin } from '../../../language/ir/program.js';
import type { LintReport } from '../../../language/lint/index.js';
import { lookUp } from '../../../language/source/look-up.js';
import type { Span } from '../../../language/source/span.js';
import { positionAt, type SourceMap } from '../../../language/source/text.js';
import type { Expression, Matrix, Param, Preset, Property } from '../../../language/syntax/ast.js';
import { referredTo } from '../../../language/syntax/references.js';

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

export interface SettingLint {
  readonly code: string;
  /** Id of the rule: what `// allow(…)` names. */
  readonly rule: string;
  readonly severity: Diagnostic['severity'];
  readonly message: string;
  readonly help?: string;
  /** The reason that a comment gives for allowing it. */
  readonly allowed?: string;
}

/** Findings of the lint rules whose place lies in what is written of a setting. */
export function lintsIn({ diagnostics, suppressed }: LintReport, span: Span): readonly SettingLint[] {
  const open = diagnostics.map((diagnostic) => ({ diagnostic, allowed: undefined }));
  const allowed = suppressed.map(({ diagnostic, reason }) => ({ diagnostic, allowed: reason }));
  const found = [...open, ...allowed].filter(({ diagnostic }) => isIn(diagnostic.at, span));
  return found.map(({ diagnostic: { code, rule, severity, message, help }, allowed }) => ({
    code,
    rule: rule ?? '',
    severity,
    message,
    ...(help === undefined ? {} : { help }),
    ...(allowed === undefined ? {} : { allowed }),
  }));
}

const isIn = (at: Diagnostic['at'], { file, start, end }: Span): boolean =>
  at !== undefined && 'start' in at && at.file === file && at.start >= start && at.end <= end;

/** Where the value of a parameter is from; `file`: a file of `--params`. */
export type ParamSource = 'command line' | 'file' | 'default' | 'matrix';

/** `undefined` if it was not given. */
export function givenBy(
  name: string,
  params: ParamValues,
): { readonly from: ParamSource; readonly given: string } | undefined {
  if (!Object.hasOwn(params, name)) return undefined;
  const files = params[FILES]?.overrides ?? {};
  const override = lookUp(files, name);
  return override === undefined
    ? { from: 'command line', given: `-p ${name}=${params[name]}` }
    : { from: 'file', given: `${override.given.shown} in ${override.given.at.file}` };
}

export interface UsedParam {
  readonly name: string;
  readonly from: ParamSource;
  /** As it was given: `-p rate=2e-4`, or the file of parameters with it. */
  readonly given?: string;
  /** Where it is declared. */
  readonly at?: FilePlace;
}

/** The parameters that a value follows from. */
export function usedParams(
  expression: Expression,
  context: Context,
  sources: SourceMap,
  params: ParamValues,
): readonly UsedParam[] {
  const names = [...new Set(referredTo(expression).map(({ text }) => text))];
  return names.flatMap((name): readonly UsedParam[] => {
    const symbol = context.scope.own.get(name);
    if (symbol === undefined || !('declaration' in symbol) || !isParam(symbol.kind)) return [];
    const { declaration } = symbol as { readonly declaration: Param | Matrix };
    const at = placeOf(declaration.name.span, sources);
    const own = symbol.kind === 'param' ? 'default' : 'matrix';
    return [{ name, at, ...(givenBy(name, params) ?? { from: own }) }];
  });
}

const isParam = (kind: string): boolean => kind === 'param' || kind === 'matrix';
