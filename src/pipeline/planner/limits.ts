/** What budgets leave to one stage: the most that it may take, found by asking the requirements themselves. */

import { evaluate } from '../../language/ir/evaluate.js';
import { namesIn } from '../../language/ir/expression.js';
import type { Budget, Expression, MetricName, Requirement } from '../../language/ir/program.js';
import type { Lookup } from '../../language/ir/requirement-result.js';
import type { Span } from '../../language/source/span.js';
import type { TIMED } from './budget.js';
import type { BudgetLimit } from './plan-json.js';

interface LimitRequest {
  readonly budgets: readonly Budget[];
  readonly stage: string;
  readonly metric: 'peak_memory' | (typeof TIMED)[number];
  /** The figure of the whole run, were this the stage's. */
  whole(figure: number): number | undefined;
  /** What is known of the other stages. */
  readonly others: Lookup;
  place(span: Span): string;
}

/**
 * The least that any requirement allows; `undefined` if none limits the stage, or none could ever hold. Nothing is left
 * where the other stages take too long as they are planned: they may be quicker, too.
 */
export function limitOf(request: LimitRequest): BudgetLimit | undefined {
  const found = request.budgets
    .flatMap(({ requires }) => requires)
    .flatMap((requirement) =>
      parts(requirement.condition).flatMap((condition) => limitIn(condition, requirement, request)),
    );
  return found.reduce<BudgetLimit | undefined>(
    (least, limit) => (least === undefined || limit.most < least.most ? limit : least),
    undefined,
  );
}

/** What has to hold together is looked at part by part: one that cannot hold must not hide what another allows. */
const parts = (condition: Expression): readonly Expression[] =>
  condition.op === 'and' ? [...parts(condition.left), ...parts(condition.right)] : [condition];

function limitIn(
  condition: Expression,
  { text, span }: Requirement,
  { stage, metric, whole, others, place }: LimitRequest,
): readonly BudgetLimit[] {
  const ofStage = ({ path }: MetricName): boolean => path[0] === stage && path[1] === metric;
  const ofRun = ({ path }: MetricName): boolean => path.length === 1 && path[0] === metric;
  const names = namesIn(condition);
  if (!names.some((name) => ofStage(name) || ofRun(name))) return [];
  // what one figure may be would depend on the other, for which nothing is chosen yet
  if (names.some(({ path }) => path.at(-1) !== metric)) return [];
  const isTrue = (read: (name: MetricName) => number | boolean | undefined): boolean => {
    const result = evaluate(condition, read);
    return !('value' in result) || result.value === true;
  };
  const holds = (figure: number): boolean =>
    isTrue((name) => (ofStage(name) ? figure : ofRun(name) ? whole(figure) : others(name.path)));
  const couldHold = (): boolean =>
    metric !== 'peak_memory' && isTrue(({ path }) => (path.at(-1) === metric ? 0 : others(path)));
  if (holds(Number.MAX_SAFE_INTEGER) || (!holds(0) && !couldHold())) return [];
  const most = holds(0) ? greatest(holds) : 0;
  return [{ most: metric === 'peak_memory' ? Math.floor(most) : most, require: text, at: place(span) }];
}

/** The greatest number for which a condition holds that holds for 0 and, from some number on, no more. */
function greatest(holds: (figure: number) => boolean): number {
  let [low, high] = [0, Number.MAX_SAFE_INTEGER];
  for (let middle = high / 2; middle > low && middle < high; middle = (low + high) / 2)
    if (holds(middle)) low = middle;
    else high = middle;
  return low;
}

/** `` `require peak_memory <= 0.6GB` (legal.ftp:68) `` */
export const limitText = ({ require, at }: BudgetLimit): string => `\`require ${require}\` (${at})`;
