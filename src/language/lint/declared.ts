/** A finding about the value of a parameter is reported where the parameter is declared: there it can be fixed. */
import type { CheckedStage } from '../check/stages.js';
import type { Span } from '../source/span.js';
import { written } from './places.js';
import type { Pipeline } from './types.js';
import { callAt } from './values.js';

export function declared(checked: CheckedStage, key: string, pipeline: Pipeline): Span {
  const expression = written(checked, key);
  const { span } = pipeline.place(checked, key);
  if (expression?.kind !== 'reference' || expression.path.length !== 1) return span;
  const value = pipeline.param(expression.path[0]?.text ?? '')?.value;
  // Given on the command line, the value is another than the declaration's.
  return value?.kind === 'call' && value.callee.text === callAt(checked, key)?.call ? value.span : span;
}
