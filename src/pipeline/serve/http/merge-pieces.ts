/** Pieces of several answers as they come. */

import { PieceQueue } from '../../../compute/serving/piece-queue.js';
import type { CompletionPiece } from '../../../compute/serving/types.js';

export interface IndexedPiece {
  readonly index: number;
  readonly piece: CompletionPiece;
}

/**
 * Reads all of them at once, however slowly its own reader takes the pieces. `computed` is called once when none has any
 * more, or one failed; `left` when nobody reads.
 */
export async function* mergePieces(
  answers: readonly AsyncIterable<CompletionPiece>[],
  { computed, left }: { readonly computed: () => void; readonly left: () => void },
): AsyncGenerator<IndexedPiece> {
  const queue = new PieceQueue<IndexedPiece>();
  const read = async (answer: AsyncIterable<CompletionPiece>, index: number): Promise<void> => {
    for await (const piece of answer) queue.push({ index, piece });
  };
  void Promise.all(answers.map(read))
    .then(
      () => queue.end(),
      (error: unknown) => queue.end({ error }),
    )
    .finally(computed);
  try {
    yield* queue;
  } finally {
    left();
  }
}
