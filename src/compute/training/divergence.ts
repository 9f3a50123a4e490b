import type { StepRecord } from './state.js';

/** Weight of the past in the smoothed loss. */
const MEMORY = 0.9;
/** Steps before anything is said: the smoothed loss is not yet settled. */
const SETTLED = 10;
/** A smoothed loss this much above its lowest value is worth mentioning. */
const FACTOR = 1.5;
const MARGIN = 0.5;

/** Says once that training runs away, and again only after a new low. */
interface DivergenceWatch {
  /** A sentence, where there is something to say. */
  look(record: Pick<StepRecord, 'step' | 'loss'>): string | undefined;
}

export function divergenceWatch(history: readonly StepRecord[]): DivergenceWatch {
  let weighted = 0;
  let weight = 0;
  let lowest = { step: 0, loss: Number.POSITIVE_INFINITY };
  let said = false;
  const look: DivergenceWatch['look'] = ({ step, loss }) => {
    weighted = MEMORY * weighted + (1 - MEMORY) * loss;
    weight = MEMORY * weight + (1 - MEMORY);
    const smooth = weighted / weight;
    if (smooth < lowest.loss) {
      lowest = { step, loss: smooth };
      said = false;
    }
    if (said || step < SETTLED || smooth <= lowest.loss * FACTOR + MARGIN) return undefined;
    said = true;
    return (
      `the training loss has risen from ${lowest.loss.toFixed(2)} (step ${lowest.step}) to ${smooth.toFixed(2)}: ` +
      'the learning rate may be too high'
    );
  };
  for (const record of history) look(record);
  return { look };
}
