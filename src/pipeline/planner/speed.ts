/** How fast this machine multiplies: a product of a decoder's size, through the runtime that will train. */

import { GraphBuilder } from '../../compute/tensor/builder.js';
import { openRuntime } from '../../compute/tensor/runtimes/index.js';
import type { Host } from '../../language/host/host.js';
import type { RuntimeName } from '../../language/ir/runtimes.js';
import type { Speed } from './time.js';

const SIZE = 512;
const ROWS = 1024;
/** Products a measurement for a steady mean; one alone is likelier to be undisturbed while other programs run. */
const TOGETHER = 4;
/** Milliseconds of measuring. */
const PATIENCE = 400;

/** `together`: as for a {@link SpeedMeter}. Throws a `UserError` if the runtime cannot be used. */
export async function measureSpeed(
  host: Host,
  name: RuntimeName,
  threads: number,
  together?: number,
): Promise<Speed> {
  const { measure, release } = await speedMeter(host, name, threads);
  const speed = await measure(PATIENCE, together);
  await release();
  return speed;
}

export interface SpeedMeter {
  /**
   * The best mean of `together` products in so many milliseconds: what other programs take away is not this machine's
   * speed. Their time slices are some milliseconds long, about as long as one product.
   */
  measure(milliseconds: number, together?: number): Promise<Speed>;
  release(): Promise<void>;
}

/** Throws a `UserError` if the runtime cannot be used. */
export async function speedMeter(host: Host, name: RuntimeName, threads: number): Promise<SpeedMeter> {
  const runtime = await openRuntime(host, name, { threads });
  const builder = new GraphBuilder('speed');
  const x = builder.input('x', [ROWS, SIZE]);
  const w = builder.input('w', [SIZE, SIZE]);
  builder.output('y', builder.matmul(x, w));
  const graph = await runtime.compile(builder.build());
  const tensor = (rows: number) => ({
    type: { dtype: 'f32' as const, shape: [rows, SIZE] },
    data: new Float32Array(rows * SIZE).fill(0.5),
  });
  const [inputs, outputs] = [{ x: tensor(ROWS), w: tensor(SIZE) }, { y: tensor(ROWS) }];
  return {
    async measure(milliseconds, together = TOGETHER) {
      const best = await fastest(() => graph.run(inputs, outputs), {
        clock: host.clock,
        milliseconds,
        together,
      });
      return { flopsPerSecond: (2 * ROWS * SIZE * SIZE * 1000) / best };
    },
    release: () => graph.release(),
  };
}

/** Milliseconds of one run: the best mean of `together` runs, of all that begin within so many milliseconds. */
export async function fastest(
  run: () => Promise<unknown>,
  { clock, milliseconds, together }: Timing,
): Promise<number> {
  const timed = async (count: number): Promise<number> => {
    const begun = clock();
    for (let done = 0; done < count; done++) await run();
    return (clock() - begun) / count;
  };
  const end = clock() + milliseconds;
  // the first one has more to do; where it alone takes all the time, it has to be enough
  let best = await timed(1);
  while (clock() < end) best = Math.min(best, await timed(together));
  return best;
}

interface Timing {
  readonly clock: () => number;
  readonly milliseconds: number;
  readonly together: number;
}

/** Under what a measurement may be used again: the same processor, threads and runtime. */
export const speedKey = (host: Host, threads: number, runtime: string): string => {
  const { cpu, cores } = host.machine();
  return `${cpu}, ${cores} cores, ${threads} threads, ${runtime}`;
};
