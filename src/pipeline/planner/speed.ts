/**
 * How fast this machine multiplies: a product of a decoder's size, through the runtime that will train. And how long stages
 * take: arithmetic over that rate, or bytes over one that is nearly the same everywhere.
 */
import * as v from 'valibot';
import { GraphBuilder } from '../../compute/tensor/builder.js';
import { openRuntime } from '../../compute/tensor/runtimes/index.js';
import type { Host } from '../../language/host/host.js';
import { type JsonOf, that } from '../../language/host/json.js';
import type { RuntimeName } from '../../language/ir/runtimes.js';
import type { Seconds } from './plan-json.js';

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

interface SpeedMeter {
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

/** What this machine computes, in floating-point operations per second, in products of a decoder's size. */
export const SPEED = v.object({
  flopsPerSecond: that((value): value is number => Number.isFinite(value) && Number(value) > 0, 'a rate'),
});
export type Speed = JsonOf<typeof SPEED>;

/** Share of a matrix product's rate that a whole training step reaches: the rest is element-wise work and memory. */
const STEP_EFFICIENCY = 0.3;
/** Tokens that come one by one read every weight for one product. */
const GENERATION_EFFICIENCY = 0.06;

/** Start of a process with a tensor runtime, and without. */
const START = { decoder: 1.5, plain: 0.6 } as const;

const interval = (expected: number): Seconds => ({ expected, low: 0.5 * expected, high: 2.5 * expected });

export const computeSeconds = (flops: number, speed: Speed): Seconds =>
  interval(START.decoder + flops / (speed.flopsPerSecond * STEP_EFFICIENCY));

export const generationSeconds = (flops: number, speed: Speed): number =>
  flops / (speed.flopsPerSecond * GENERATION_EFFICIENCY);

export const plus = (seconds: Seconds, more: number): Seconds => interval(seconds.expected + more);

/**
 * Of a row that is parsed, normalised, compared and written. Measured on a Xeon, with one thread: 300,000 rows of 700 bytes took 26 s with
 * near duplicates and leaks looked for, and 10 million of 107 bytes about 5 minutes.
 */
const DATA_SECONDS = { row: 20e-6, byte: 93e-9 } as const;

/**
 * Of a row that is parsed, rendered, encoded and written. Measured likewise, in processor time: 300,000 rows of 177 tokens took 82 s, 20,000
 * of 260 tokens 7.8 s, and 10 million of 41 tokens a quarter of an hour.
 */
const FORMAT_SECONDS = { row: 37e-6, token: 1.36e-6 } as const;
/** Of the time, where threads encode: what is left is the stage's own. Measured with two cores, 66 s of the 82. */
const WITH_ENCODERS = 0.8;

export const dataSeconds = (rows: number, bytes: number): Seconds =>
  interval(START.plain + DATA_SECONDS.row * rows + DATA_SECONDS.byte * bytes);

export const formatSeconds = (rows: number, tokens: number, encoders: number): Seconds =>
  interval(
    START.plain +
      (encoders > 0 ? WITH_ENCODERS : 1) * (FORMAT_SECONDS.row * rows + FORMAT_SECONDS.token * tokens),
  );

const COPY_BYTES_PER_SECOND = 200e6;

export const copySeconds = (bytes: number): Seconds => interval(START.plain + bytes / COPY_BYTES_PER_SECOND);

export function addSeconds(all: readonly (Seconds | null)[]): Seconds | null {
  if (all.some((one) => one === null)) return null;
  return all.reduce<Seconds>(
    (total, one) => ({
      expected: total.expected + (one?.expected ?? 0),
      low: total.low + (one?.low ?? 0),
      high: total.high + (one?.high ?? 0),
    }),
    { expected: 0, low: 0, high: 0 },
  );
}

export const NO_TIME: Seconds = { expected: 0, low: 0, high: 0 };
