/** What is measured: an optimiser step over pairs of answers of one length, by LoRA on every projection of fresh weights. */

import { sharesPrompts } from '../../src/compute/training/objectives/sharing.js';
import type { PairObjective } from '../../src/compute/training/objectives/types.js';
import { assumedLengths, type Lengths } from '../../src/pipeline/planner/expected-rows.js';
import { loraOf, RANK, type Shape, TARGET, type Way as TrainedWay } from '../training/cases.js';

/** `rows` are pairs, `length` the tokens of a text, of which so many are the prompt. */
export interface PairShape extends Shape {
  readonly prompt: number;
}

/** How a step is computed: by this program, or by TRL's trainer with gradient checkpointing. */
export type Way =
  | (Extract<TrainedWay, { by: 'ftpc' }> & {
      /** Whether the prompt of a pair is computed once; default: as a training decides. */
      readonly sharesPrompts?: boolean;
    })
  | {
      readonly by: 'trl';
      readonly method: 'lora';
      /** The reference is asked before training, and not in each step. */
      readonly precomputed: boolean;
    };

export interface PairTask extends PairShape {
  readonly objective: PairObjective;
  readonly way: Way;
  readonly rank: number;
  /** Measured steps; one more comes before them. */
  readonly steps: number;
  readonly threads: number;
}

export interface Measured {
  /** Tokens of both texts per second, of the median step. */
  readonly tokensPerSecond: number;
  /** The same where a step also asks the reference of its rows: what a pass over rows takes in all. */
  readonly withReference: number;
  /** The most that was resident in the process once the model was built. */
  readonly peakBytes: number;
  /** Of the first step: where no answer is likelier than under the reference, all compute the same. */
  readonly loss: number;
}

export const OBJECTIVES: readonly PairObjective[] = [
  { kind: 'dpo', beta: 0.1, loss: 'sigmoid', labelSmoothing: 0, sft: 0 },
  { kind: 'orpo', beta: 0.1 },
];

/**
 * Pairs of texts of 512 tokens, with long answers and with a long prompt, and one of 1,024 tokens with a prompt that is
 * longer still.
 */
export const PAIR_SHAPES: readonly PairShape[] = [
  ...[128, 384].map((prompt) => ({ ...TARGET, prompt })),
  { ...TARGET, length: 1024, prompt: 896 },
];

/** Tokens of a pair where its prompt is computed once, but for its last token. */
const joinedTokens = ({ length, prompt }: PairShape): number => 2 * length - (prompt - 1);

/** Whether a training on such pairs computes prompts once. */
export const joinsTexts = (shape: PairShape): boolean =>
  sharesPrompts(shape.config, loraOf(shape.config), pairLengths(shape));

/** Of the texts of a shape, as a format stage counts them. */
export const pairLengths = (shape: PairShape): Lengths => ({
  ...assumedLengths(2 * shape.rows, shape.length),
  joined: assumedLengths(shape.rows, joinedTokens(shape)),
});

/** Of `dpo`, also without the reference in its steps. */
export const peerWays = ({ kind }: PairObjective): readonly Way[] =>
  (kind === 'dpo' ? [false, true] : [false]).map((precomputed) => ({
    by: 'trl',
    method: 'lora',
    precomputed,
  }));

export const taskOf = (
  shape: PairShape,
  objective: PairObjective,
  { steps, threads }: Pick<PairTask, 'steps' | 'threads'>,
): Omit<PairTask, 'way'> => ({ ...shape, objective, rank: RANK, steps, threads });
