/** Requirements whose outcome is certain before anything is measured, and those that contradict each other. */
import * as wiring from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Expression as Condition, Requirement } from '../ir/types.js';
import type { Requirement as Written } from '../syntax/ast.js';
import { pathsIn } from '../syntax/references.js';
import { certainly, type MetricOf } from './certain.js';

/**
 * `written`: those of the block itself; one that a preset brings may always hold in one stage and not in another.
 */
export function checkCertain(
  requires: readonly Requirement[],
  written: readonly Written[],
  metricOf: MetricOf,
): readonly Diagnostic[] {
  const outcomes = requires.flatMap((requirement) => {
    const { condition, span, text } = requirement;
    const holds = certainly(condition, metricOf);
    if (holds === false || limitsOf(requirement, [])[1] !== undefined)
      return [wiring.impossibleRequirement(span, text)];
    const own = writtenAs(requirement, written);
    return holds === true && own !== undefined && !speaksOfParams(own, metricOf)
      ? [wiring.idleRequirement(span, text)]
      : [];
  });
  if (outcomes.length > 0) return outcomes;
  // What a preset requires comes first, so that the block's own line is the one to look at.
  const own = (requirement: Requirement): number => Number(writtenAs(requirement, written) !== undefined);
  return contradictions([...requires].sort((a, b) => own(a) - own(b)));
}

const writtenAs = ({ span }: Requirement, written: readonly Written[]): Written | undefined =>
  written.find((one) => one.span.file === span.file && one.span.start === span.start);

/** A parameter may have another value in the next run, in which the requirement says something. */
const speaksOfParams = ({ condition }: Written, metricOf: MetricOf): boolean =>
  pathsIn(condition).some(
    (path) => path.length === 1 && metricOf(path.map(({ text }) => text)) === undefined,
  );

/** `perplexity < 30`: an end of what one measurement may be. */
interface Limit {
  readonly metric: string;
  readonly op: string;
  readonly value: number;
  readonly by: Requirement;
}

function contradictions(requires: readonly Requirement[]): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  let before: readonly Limit[] = [];
  for (const requirement of requires) {
    const [limits, against] = limitsOf(requirement, before);
    if (against === undefined) before = limits;
    else found.push(wiring.contradiction(requirement.span, requirement.text, against.by.span));
  }
  return found;
}

const MIRRORED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==' };

/** The limits so far with those of a requirement, and the first that it goes against. */
function limitsOf(requirement: Requirement, before: readonly Limit[]): readonly [readonly Limit[], Limit?] {
  const limits = [...before];
  for (const condition of conjuncts(requirement.condition)) {
    const limit = limitOf(condition, requirement);
    if (limit === undefined) continue;
    const against = limits.find((other) => other.metric === limit.metric && !together(other, limit));
    if (against !== undefined) return [limits, against];
    limits.push(limit);
  }
  return [limits];
}

const conjuncts = (condition: Condition): readonly Condition[] =>
  condition.op === 'and' ? [...conjuncts(condition.left), ...conjuncts(condition.right)] : [condition];

function limitOf(condition: Condition, by: Requirement): Limit | undefined {
  if (!('left' in condition) || !Object.hasOwn(MIRRORED, condition.op)) return undefined;
  const { op, left, right } = condition;
  const [metric, value, sign] = left.op === 'name' ? [left, right, op] : [right, left, MIRRORED[op] ?? op];
  if (metric.op !== 'name' || value.op !== 'value' || typeof value.value !== 'number') return undefined;
  return { metric: metric.path.join('.'), op: sign, value: value.value, by };
}

/** Whether some number lies within both. */
function together(a: Limit, b: Limit): boolean {
  const lower = [a, b].filter(({ op }) => op !== '<' && op !== '<=');
  const upper = [a, b].filter(({ op }) => op !== '>' && op !== '>=');
  return lower.every((low) =>
    upper.every(
      (high) =>
        low.value < high.value ||
        (low.value === high.value && !/^[<>]$/.test(low.op) && !/^[<>]$/.test(high.op)),
    ),
  );
}
