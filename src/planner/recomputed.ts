/** What a choice recomputes, in words. */
import type { Chosen } from '../stages/types.js';

type Recomputed = Pick<Chosen, 'checkpointedBlocks' | 'recomputedMlps'>;

/** Blocks of which the MLP alone is recomputed. */
const mlpsOf = ({ checkpointedBlocks, recomputedMlps = 0 }: Recomputed): number =>
  Math.max(0, recomputedMlps - checkpointedBlocks);

/** `3 blocks and 9 MLPs` */
export function recomputedText(chosen: Recomputed): string {
  const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  const blocks = counted(chosen.checkpointedBlocks, 'block');
  const mlps = mlpsOf(chosen);
  if (mlps === 0) return blocks;
  return `${chosen.checkpointedBlocks === 0 ? '' : `${blocks} and `}${counted(mlps, 'MLP')}`;
}

/** The same for a table, whose column says what is counted: `3`, or `3, 9 MLPs`. */
export const recomputedCell = (chosen: Recomputed): string =>
  mlpsOf(chosen) === 0 ? String(chosen.checkpointedBlocks) : recomputedText(chosen);

export const recomputesSomething = (chosen: Recomputed): boolean =>
  chosen.checkpointedBlocks > 0 || mlpsOf(chosen) > 0;
