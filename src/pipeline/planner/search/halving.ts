/**
 * Successive halving (Jamieson and Talwalkar, arXiv 1502.07943): all trials train up to a rung, the best of them by
 * their validation loss there go on to the next, which is `factor` times as far, and few train to the end.
 */

/** Slack of a logarithm whose argument is an exact power. */
const ROUNDING = 1e-9;

/**
 * Steps after which a training of `total` steps is compared with the others: each is one at which it validates, every
 * `every` steps. `total ÷ factor`, `total ÷ factor²` and so on, as many as leave a trial, in order.
 */
export function rungSteps(total: number, every: number, factor: number, trials: number): readonly number[] {
  const most = Math.floor(Math.log(trials) / Math.log(factor) + ROUNDING);
  const steps = Array.from(
    { length: most },
    (_, rung) => Math.floor(total / factor ** (most - rung) / every) * every,
  );
  return steps.filter((step, rung) => step >= every && step < total && step > (steps[rung - 1] ?? 0));
}

/** How many of so many trials go on after a rung. */
export const survivors = (trials: number, factor: number): number => Math.max(1, Math.floor(trials / factor));

/** Which trials go on: those with the least loss, of equal ones the first; one without a loss has failed, and does not. */
export function goingOn(losses: readonly (number | undefined)[], factor: number): ReadonlySet<number> {
  const reached = losses.flatMap((loss, trial) => (loss === undefined ? [] : [{ loss, trial }]));
  reached.sort((a, b) => a.loss - b.loss || a.trial - b.trial);
  return new Set(reached.slice(0, survivors(losses.length, factor)).map(({ trial }) => trial));
}

/** Between two rungs, so many trials train up to a share of the whole. */
export interface Round {
  readonly trials: number;
  readonly share: number;
}

export function roundsOf(shares: readonly number[], trials: number, factor: number): readonly Round[] {
  let left = trials;
  return [...shares, 1].map((share, index) => {
    if (index > 0) left = survivors(left, factor);
    return { trials: left, share };
  });
}

/** What a trial trains of the whole, on average. */
export function meanShare(rounds: readonly Round[]): number {
  const all = rounds.reduce(
    (sum, { trials, share }, index) => sum + trials * (share - (rounds[index - 1]?.share ?? 0)),
    0,
  );
  return all / (rounds[0]?.trials ?? 1);
}
