/** A step over pairs, and what asks the reference of its rows, over weights that cost little to make. */
import type { TokenRow } from '../../src/compute/training/batch.js';
import { answerSums, pairSums, type References } from '../../src/compute/training/objectives/batch-loss.js';
import type { AlikeTexts } from '../../src/compute/training/objectives/joined.js';
import type { PreferenceRow, PreferenceRows } from '../../src/compute/training/objectives/rows.js';
import { hasReference } from '../../src/compute/training/objectives/rules.js';
import { preferenceStep } from '../../src/compute/training/objectives/step.js';
import { trained } from '../training/step.js';
import { joinsTexts, type PairTask } from './cases.js';

interface PairStepper {
  /** Asks the reference of the rows, where there is one; training asks once of each row, before it begins. */
  ask(): Promise<void>;
  /** Gives the loss. */
  step(): Promise<number>;
  release(): Promise<void>;
}

export async function pairStepper(task: PairTask, profile?: string): Promise<PairStepper> {
  const { objective, rows: pairs, way } = task;
  if (way.by !== 'ftpc') throw new Error(`a step of ${way.by} is not computed here`);
  const { decoder, updater, release } = await trained({ ...task, way }, profile);
  const source = pairsOf(task);
  const rows = Uint32Array.from({ length: pairs }, (_, row) => row);
  const pause = async (): Promise<void> => {};
  const shared = { decoder, microBatch: pairs, padId: 0, pause };
  const asks = hasReference(objective);
  let known: Float64Array | undefined;
  const references: References = {
    of: (row, side) => known?.[2 * row + side] ?? Number.NaN,
    mismatched: () => [],
  };
  let step = 0;
  return {
    async ask() {
      if (!asks) return;
      const asked = Array.from(rows, (row) => pairOf(source.read(row)));
      // the adapter adds nothing before the first step; what is asked later is timed alone
      const sums =
        source.sharesPrompts === true
          ? await pairSums(shared, asked)
          : await answerSums({ ...shared, microBatch: 2 * pairs }, asked.flat());
      known ??= sums;
    },
    async step() {
      step += 1;
      const { loss } = await preferenceStep({
        ...{ ...shared, updater, source, objective, rows, step },
        ...(asks && { references }),
        ...{ seed: 1, rate: 1e-4, clip: 1 },
      });
      return loss;
    },
    release,
  };
}

function pairOf(row: PreferenceRow): AlikeTexts {
  if ('answer' in row) throw new Error('an answer without another');
  return [row.chosen, row.rejected];
}

/** Token ids that the peer makes in the same way. */
function pairsOf({ way, ...task }: PairTask): PreferenceRows {
  const { config, rows, length, prompt } = task;
  const text = (row: number, side: number): TokenRow => {
    const ids = Int32Array.from(
      { length },
      (_, at) => (((at < prompt ? 2 * row : 2 * row + side) * length + at) * 7919 + 17) % config.vocabSize,
    );
    return { ids, labels: ids.slice().fill(-100, 0, prompt) };
  };
  return {
    count: rows,
    limit: length,
    sharesPrompts: (way.by === 'ftpc' ? way.sharesPrompts : undefined) ?? joinsTexts(task),
    lengthOf: () => length,
    tokensOf: () => 2 * length,
    read: (row) => ({ chosen: text(row, 0), rejected: text(row, 1) }),
  };
}
