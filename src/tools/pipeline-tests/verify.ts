/** Whether a condition holds of what is known, and what its parts came to. */
import { formatQuantity } from '../../language/check/units.js';
import { expectationFailed, notKnown } from '../../language/diagnostics/catalogue/tests.js';
import { badOperands } from '../../language/diagnostics/catalogue/values.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { evaluate, type Measure } from '../../language/ir/evaluate.js';
import { spanText } from '../../language/source/text.js';
import type { Condition, Expectation, Facts, Need } from './types.js';

/** What is wrong; `undefined` if it holds. */
export function failureOf({ condition, source }: Expectation, facts: Facts): Diagnostic | undefined {
  const textOf = ({ span }: Condition): string => spanText(source, span).replace(/\s+/g, ' ');
  /** What was looked at, in order, by its text. */
  const seen = new Map<string, string>();
  const found = evaluate(
    condition,
    (name) => name.read(facts) ?? null,
    (part, measure) => {
      const [text, value] = [textOf(part), shown(measure)];
      // Of values only a parameter's is not seen.
      if (part.op !== 'value' || (/^[A-Za-z_]/.test(text) && text !== value)) seen.set(text, value);
    },
  );
  if ('value' in found && found.value === true) return undefined;
  if ('value' in found && found.value === false) {
    const values = [...seen].filter(([text]) => text !== textOf(condition));
    return expectationFailed(condition.span, textOf(condition), aligned(values));
  }
  const part = 'unknown' in found ? found.unknown : condition;
  if ('apart' in found && found.apart !== undefined && 'left' in part) {
    const [left, right] = found.apart;
    return badOperands(part.span, part.op, `\`${shown(left)}\``, `\`${shown(right)}\``);
  }
  return notKnown(part.span, textOf(part), whyNot(part, facts), aligned([...seen]));
}

const BECAUSE: Readonly<Record<Need, (facts: Facts) => string>> = {
  program: ({ compiled }) => (compiled.program === undefined ? ERRORS : 'the pipeline does not set it'),
  plan: ({ plan, compiled }) =>
    compiled.program === undefined
      ? ERRORS
      : plan === undefined
        ? 'there is no plan'
        : 'the plan does not predict it',
  run: ({ run }) => (run === undefined ? 'nothing was run' : 'the run did not reach it'),
};
const ERRORS = 'the pipeline has errors';

const whyNot = (part: Condition, facts: Facts): string =>
  part.op === 'name' ? BECAUSE[part.need](facts) : 'a part of it is not known';

function shown({ value, unit }: Measure): string {
  if (value === null) return 'none';
  return typeof value === 'number' ? formatQuantity(value, unit) : `${value}`;
}

function aligned(values: readonly (readonly [text: string, value: string])[]): readonly string[] {
  const width = Math.max(0, ...values.map(([text]) => text.length));
  return values.map(([text, value]) => `${text.padEnd(width)} = ${value}`);
}
