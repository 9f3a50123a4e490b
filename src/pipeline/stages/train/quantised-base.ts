import type { ModelFolder } from '../../../compute/models/load.js';
import type { DoubleNf4 } from '../../../compute/models/weights/nf4-quantise.js';
import { sizeOf } from '../../../compute/tensor/shape.js';
import type { QuantisingThread } from '../stage.js';

/** Weights from which on threads save more time than they take to start, and little memory next to what is held. */
const LEAST = 2 ** 29;

/**
 * The tensors of a base that are held in NF4, quantised by threads; what one of them fails at is left out. `undefined` where the base
 * is smaller than `least` weights.
 */
export async function quantisedBase(
  model: Pick<ModelFolder, 'toQuantise'>,
  start: () => Promise<readonly QuantisingThread[]>,
  least = LEAST,
): Promise<ReadonlyMap<string, DoubleNf4> | undefined> {
  const wanted = model.toQuantise();
  if (wanted.reduce((sum, { shape }) => sum + sizeOf(shape), 0) < least) return undefined;
  const threads = await start();
  const done = new Map<string, DoubleNf4>();
  const names = wanted.map(({ name }) => name).values();
  try {
    await Promise.all(
      threads.map(async (thread) => {
        for (const name of names) {
          const data = await thread.quantise(name);
          if (data !== undefined) done.set(name, data);
        }
      }),
    );
  } finally {
    for (const thread of threads) await thread.end();
  }
  return done;
}
