/** What a training that runs away looks like: its loss and gradients against their own running medians. */
import type { StepRecord } from './state.js';

/** Losses that a running median is over. */
const WINDOW = 10;
/** Steps before anything is said: a median of fewer says little. */
const SETTLED = 6;
/** A running median this far above its lowest value is worth mentioning, */
const NOTICEABLE = { factor: 1.5, margin: 0.5 };
/** or a divergence: no spike lasts for half a window, and nothing that is learned is so far from what was learned. */
const DIVERGED = { factor: 2, margin: 1 };
/** One loss this far above it is no spike: the mean over a batch is not ten times what it was. */
const EXPLODED = { factor: 10, margin: 10 };
/** Steps without any gradient, at a loss so far above what was reached: the model says the same whatever it reads. */
const DEAD = { steps: 3, factor: 1, margin: 0.5 };
/** A running median so near to the loss of a model that takes all tokens for equally likely is one that has forgotten all. */
const OF_CHANCE = 0.99;
/** Gradient norms that the newest ones are compared with, and how far above them a divergence is. */
const NORMS = { before: 50, newest: 5, factor: 100 };

const ADVICE = 'the learning rate may be too high';

interface WatchedStep extends Pick<StepRecord, 'step' | 'loss'>, Partial<Pick<StepRecord, 'gradNorm'>> {}

interface LossWatch {
  /**
   * Is told of every step. `warning`: a sentence, once and again after each new low; `divergence`: why there is no
   * point in going on.
   */
  look(record: WatchedStep): { readonly warning?: string; readonly divergence?: string };
  /** The last step at which all was well: a running median is late by half a window. 0 where nothing was seen. */
  good(): number;
}

/** `history`: steps of earlier runs of the training, which count as if they had been watched. */
/** `vocabulary`: how many tokens there are, where the loss is their cross entropy. */
export function lossWatch(
  history: readonly WatchedStep[],
  vocabulary: number = Number.POSITIVE_INFINITY,
): LossWatch {
  const chance = Math.log(vocabulary);
  const losses: number[] = [];
  const norms: number[] = [];
  let lowest = { step: 0, loss: Number.POSITIVE_INFINITY };
  let said = false;
  const runsAway = (): boolean => {
    const newest = norms.slice(-NORMS.newest);
    const before = norms.slice(0, -NORMS.newest);
    return before.length >= NORMS.newest * 2 && median(newest) > NORMS.factor * median(before);
  };
  const look = ({ step, loss, gradNorm }: WatchedStep): ReturnType<LossWatch['look']> => {
    push(losses, loss, WINDOW);
    if (gradNorm !== undefined) push(norms, gradNorm, NORMS.before + NORMS.newest);
    const exploded = isAbove(loss, lowest.loss, EXPLODED)
      ? `the loss of step ${step} is ${loss.toPrecision(3)}; its running median was ${lowest.loss.toPrecision(3)} at best (step ${lowest.step})`
      : undefined;
    const now = median(losses);
    if (now <= lowest.loss) {
      lowest = { step, loss: now };
      said = false;
    }
    const dead =
      norms.length >= DEAD.steps &&
      norms.slice(-DEAD.steps).every((norm) => norm === 0) &&
      isAbove(now, lowest.loss, DEAD)
        ? `no gradient is left at a loss of ${now.toPrecision(3)}; it was ${lowest.loss.toPrecision(3)} (step ${lowest.step})`
        : undefined;
    const lost = exploded ?? dead;
    if (lost !== undefined) {
      const once = said ? {} : { warning: `${lost}: ${ADVICE}` };
      said = true;
      return { divergence: lost, ...once };
    }
    if (step < SETTLED || !isAbove(now, lowest.loss, NOTICEABLE)) return {};
    const guesses = losses.length === WINDOW && now >= OF_CHANCE * chance;
    const risen =
      `the running median of the loss has risen from ${lowest.loss.toPrecision(3)} (step ${lowest.step}) ` +
      `to ${now.toPrecision(3)} (step ${step})` +
      (guesses ? `, as if all ${vocabulary} tokens were equally likely` : '');
    const warning = said ? {} : { warning: `${risen}: ${ADVICE}` };
    said = true;
    return isAbove(now, lowest.loss, DIVERGED) || guesses || runsAway()
      ? { ...warning, divergence: risen }
      : warning;
  };
  for (const record of history) look(record);
  return { look, good: () => Math.max(0, lowest.step - WINDOW / 2) };
}

const isAbove = (value: number, low: number, { factor, margin }: typeof DIVERGED): boolean =>
  value > low * factor + margin;

function push(values: number[], value: number, most: number): void {
  values.push(value);
  if (values.length > most) values.shift();
}

/** The lower one of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
}
