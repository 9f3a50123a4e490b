/** Where a setting is in its file, by the stage and the path in it: what a diagnostic points at. */
import { textAt } from '../../language/check/stage-settings.js';
import type { Analysis } from '../../language/compile.js';
import type { Span } from '../../language/source/span.js';
import type { Expression } from '../../language/syntax/ast.js';

/**
 * The place of `base` or `source.0` or `mix.general`; where it is a parameter, that of the parameter's value.
 * What a preset set is where the stage begins.
 */
export function placeOf(analysis: Analysis, stage: string, path: string): Span | undefined {
  const checked = analysis.stages.find((candidate) => candidate.stage.name === stage);
  if (checked === undefined) return undefined;
  const text = textAt(checked.block.properties, path);
  return text === undefined ? checked.stage.span : declared(analysis, text.expression).span;
}

function declared(analysis: Analysis, expression: Expression): Expression {
  if (expression.kind !== 'reference' || expression.path.length !== 1) return expression;
  const name = expression.path[0]?.text;
  const param = analysis.main.tree.params.find((candidate) => candidate.name.text === name);
  return param?.value === undefined ? expression : declared(analysis, param.value);
}
