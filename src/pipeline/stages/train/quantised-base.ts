import type { NamedShape } from '../../../compute/models/architectures/index.js';
import type { DecoderOptions } from '../../../compute/models/decoder/index.js';
import type { ModelFolder } from '../../../compute/models/load.js';
import type { DoubleNf4 } from '../../../compute/models/weights/nf4-quantise.js';
import { sizeOf } from '../../../compute/tensor/shape.js';
import type { QuantiserTask, QuantisingThread, StageContext } from '../stage.js';

/** Weights from which on threads save more time than they take to start, and little memory next to what is held. */
const LEAST = 2 ** 29;

/** More threads than these wait for memory, not for each other. */
const MOST_LANES = 4;

/** Threads that dequantise so many weights for a training, its own among them: only ONNX Runtime reads what lies in host memory. */
export const dequantisingLanes = (weights: number, runtime: string, threads: number): number =>
  runtime === 'onnx' && weights >= LEAST ? Math.min(threads, MOST_LANES) : 1;

/** Whether matrices of so many weights are dequantised into tiles: with fewer, as many rows take as long either way. */
export const isTiled = (weights: number, runtime: string): boolean => runtime === 'onnx' && weights >= LEAST;

/** Threads that quantise so many weights. */
export const quantisingThreads = (weights: number, threads: number): number =>
  weights >= LEAST ? threads : 0;

/** Weights of a base that are quantised when it is read. */
export const countWeights = (tensors: readonly NamedShape[]): number =>
  tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/**
 * The tensors of a base that are held in NF4, quantised by threads; what one of them fails at is left out. `undefined`
 * where the base is smaller than `least` weights.
 */
export async function quantisedBase(
  model: Pick<ModelFolder, 'toQuantise'>,
  start: () => Promise<readonly QuantisingThread[]>,
  least = LEAST,
): Promise<ReadonlyMap<string, DoubleNf4> | undefined> {
  const wanted = model.toQuantise();
  if (countWeights(wanted) < least) return undefined;
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

/** How a base is dequantised: the threads that do it next to the training's own, and how they lay it out. */
export type Dequantising = Required<Pick<DecoderOptions, 'dequantisers' | 'tiled'>>;

/** Of what is dequantised by the training's own thread, row by row, if at all. */
export const ALONE: Dequantising = { dequantisers: [], tiled: false };

/** The threads of a training next to its own: they quantise its base when it is read, and then dequantise it, block by block. */
export function baseThreads(
  { runtime, threads, quantisingThreads: start, dequantisingThreads }: StageContext,
  model: ModelFolder,
  base: QuantiserTask['base'],
) {
  const weights = (): number => countWeights(model.toQuantise());
  const lanes = (): number => dequantisingLanes(weights(), runtime, threads);
  return {
    /** As {@link quantisedBase} does it; `undefined` where there are no threads. */
    quantise: async () => start && quantisedBase(model, () => start({ base, shared: lanes() > 1 })),
    dequantising: async (): Promise<Dequantising> => ({
      dequantisers: lanes() > 1 ? ((await dequantisingThreads?.(lanes() - 1)) ?? []) : [],
      tiled: isTiled(weights(), runtime),
    }),
  };
}
