/** What training is held against, and how far it is reached. */
import { bytes } from '../../src/pipeline/planner/quantities.js';
import type { Measured, Shape, Way } from './cases.js';
import type { Turns } from './turns.js';

/** What was measured of one way: medians over the repeats. */
export interface Line {
  readonly name: string;
  readonly way: Way;
  readonly measured: Measured | undefined;
}

/** A quarter of the memory of PEFT's checkpointing must be enough to be as fast. */
export const SMALL = 4;

const MIB = 2 ** 20;

/** Ways that the targets name. */
const NAMED = {
  checkpointed: (way) => way.by === 'peft' && way.mode === 'checkpointed',
  compiled: (way) => way.by === 'peft' && way.mode === 'compiled',
  smallest: (way, { layers }) =>
    way.by === 'ftpc' && way.method === 'qlora' && way.checkpointedBlocks === layers,
} satisfies Record<string, (way: Way, config: Shape['config']) => boolean>;

/**
 * A line a target; those whose peers were not measured are left out. `onnxShare`: ONNX Runtime's rate of products over
 * the best.
 */
export function targetLines(
  { config }: Shape,
  lines: readonly Line[],
  onnxShare: number,
  turns: Turns | undefined,
): readonly string[] {
  const of = (name: keyof typeof NAMED) => lines.find(({ way }) => NAMED[name](way, config))?.measured;
  const [checkpointed, compiled, smallest] = [of('checkpointed'), of('compiled'), of('smallest')];
  const fastest = (bytes: number): number =>
    Math.max(
      ...lines.flatMap(({ way, measured }) =>
        way.by === 'ftpc' && measured !== undefined && measured.peakBytes <= bytes
          ? [measured.tokensPerSecond]
          : [],
      ),
    );
  const found: string[] = [];
  const ratio = (what: string, value: number, least: number) =>
    found.push(`${verdict(value >= least)} ${what}: ${value.toFixed(2)} (at least ${least.toFixed(2)})`);
  if (checkpointed !== undefined) {
    const { tokensPerSecond, peakBytes } = checkpointed;
    const within = fastest(peakBytes);
    const memory = "in the memory of PEFT's checkpointing";
    if (compiled !== undefined)
      ratio(`${memory}, over PEFT under torch.compile`, within / compiled.tokensPerSecond, 1);
    ratio(`${memory}, over that`, within / tokensPerSecond, 1.5);
    ratio(`in a quarter of it, over that`, fastest(peakBytes / SMALL) / tokensPerSecond, 1);
  }
  if (turns !== undefined) {
    ratio('QLoRA over LoRA, steps in turn, materialised', turns.materialised, 0.95);
    ratio('QLoRA over LoRA, steps in turn, decoded in every pass', turns.decodedEachPass, 0.95);
    ratio("LoRA's arithmetic over the rate of products, in turn", turns.products * onnxShare, 0.65);
  }
  if (smallest !== undefined)
    found.push(
      `${verdict(smallest.peakBytes < 600 * MIB)} QLoRA with everything recomputed: ${bytes(smallest.peakBytes)} (below 600 MiB)`,
    );
  return found;
}

const verdict = (holds: boolean): string => (holds ? 'reached ' : 'NOT YET ');
