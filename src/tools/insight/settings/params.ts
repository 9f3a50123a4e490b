/** Parameters and secrets of a pipeline: what they are, and which settings follow from them. */

import { valueText } from '../../../language/check/value-text.js';
import { spanText } from '../../../language/source/text.js';
import type { Expression, Matrix, Param } from '../../../language/syntax/ast.js';
import type { Pipeline, SettingExplanation } from './explain.js';
import { type FilePlace, placeOf } from './setting-places.js';
import { givenBy, type ParamSource } from './used-params.js';

export interface ParamExplanation {
  readonly name: string;
  readonly doc: string | null;
  /** `Int(1..64)` */
  readonly type: string;
  /** As a pipeline would have it; of a matrix, its values. */
  readonly text: string;
  readonly default: string | null;
  readonly from: ParamSource;
  /** As it was given, where it was. */
  readonly given: string | null;
  readonly at: FilePlace | undefined;
  /** Settings that follow from it: `adapter.optimizer.rate`. */
  readonly usedBy: readonly string[];
}

export interface SecretExplanation {
  readonly name: string;
  readonly doc: string | null;
  /** The environment variable that holds it; its content is shown nowhere. */
  readonly env: string;
  readonly at: FilePlace | undefined;
}

export function explainParams(
  stages: readonly { readonly stage: string; readonly settings: readonly SettingExplanation[] }[],
  pipeline: Pipeline,
): readonly ParamExplanation[] {
  const { analysis, sources, params } = pipeline;
  const { tree, source } = analysis.main;
  const usedBy = (name: string): readonly string[] =>
    stages.flatMap(({ stage, settings }) => {
      const paths = settings
        .filter(({ setBy }) => setBy.params?.some((param) => param.name === name))
        .map(({ path }) => path);
      // Of a call and its argument, the argument says more.
      return paths
        .filter((path) => !paths.some((other) => other.startsWith(`${path}.`)))
        .map((path) => `${stage}.${path}`);
    });
  const one = (declaration: Param | Matrix, isMatrix: boolean): ParamExplanation => {
    const { name, type, range, value, doc } = declaration;
    const text = value === undefined ? null : spanText(source, value.span);
    const symbol = analysis.context.scope.own.get(name.text);
    const constant = symbol?.kind === 'param' ? symbol.constant() : undefined;
    const given = givenBy(name.text, params);
    return {
      name: name.text,
      doc: doc ?? null,
      type: `${type.text}${range === undefined ? '' : spanText(source, range.span)}`,
      text:
        given !== undefined
          ? (params[name.text] ?? '')
          : constant === undefined || symbol?.kind !== 'param'
            ? (text ?? '')
            : valueText(constant.value, symbol.type),
      default: text,
      from: given?.from ?? (isMatrix ? 'matrix' : 'default'),
      given: given?.given ?? null,
      at: placeOf(name.span, sources),
      usedBy: usedBy(name.text),
    };
  };
  return [
    ...tree.params.map((declaration) => one(declaration, false)),
    ...tree.matrices.map((declaration) => one(declaration, true)),
  ];
}

export const explainSecrets = ({ analysis, sources }: Pipeline): readonly SecretExplanation[] =>
  analysis.main.tree.secrets.map(({ name, value, doc }) => ({
    name: name.text,
    doc: doc ?? null,
    env: envIn(value),
    at: placeOf(name.span, sources),
  }));

function envIn(value: Expression): string {
  const first = value.kind === 'call' ? value.args[0]?.value : undefined;
  return first?.kind === 'string' ? first.value : '';
}
