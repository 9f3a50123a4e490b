/** Where a setting is in its file, by the stage and the path in it: what a diagnostic points at. */
import type { CheckedStage } from '../../language/check/stages.js';
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
  const written = writtenAt(checked, path.split('.'));
  return written === undefined ? checked.stage.span : declared(analysis, written).span;
}

function writtenAt({ block }: CheckedStage, path: readonly string[]): Expression | undefined {
  const [first = '', ...rest] = path;
  const property = block.properties.find(({ key }) => key.text === first);
  let found: Expression | undefined = property?.value;
  for (const name of rest) {
    if (found === undefined) return undefined;
    // A value that is not written out, such as a parameter, is the place of all that is in it.
    found = within(found, name) ?? found;
  }
  return found;
}

function within(expression: Expression, name: string): Expression | undefined {
  if (expression.kind === 'list') return expression.items[Number(name)];
  if (expression.kind === 'record') return expression.entries.find(({ key }) => key.text === name)?.value;
  if (expression.kind === 'call')
    return expression.args.find((argument) => argument.name?.text === name)?.value;
  return undefined;
}

function declared(analysis: Analysis, expression: Expression): Expression {
  if (expression.kind !== 'reference' || expression.path.length !== 1) return expression;
  const name = expression.path[0]?.text;
  const param = analysis.main.tree.params.find((candidate) => candidate.name.text === name);
  return param?.value === undefined ? expression : declared(analysis, param.value);
}
