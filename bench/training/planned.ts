/** What the planner chooses for a shape where memory is limited. */

import { planDecoder } from '../../src/compute/models/decoder/plan.js';
import { plannedBytes } from '../../src/compute/models/weights/load.js';
import { assumedLengths, type Lengths } from '../../src/pipeline/planner/expected-rows.js';
import { computedRows, longestPadded, type TrainMemory } from '../../src/pipeline/planner/memory/train.js';
import { trainPeak } from '../../src/pipeline/planner/memory/train-peak.js';
import { solve } from '../../src/pipeline/planner/solve/solve.js';
import { fastestPlan } from '../../src/pipeline/planner/solve/start.js';
import { ladder } from '../../src/pipeline/stages/train-plan/ladder.js';
import { loraOf, RANK, type Shape, type Way } from './cases.js';

/** LoRA or QLoRA, as fast as fits: `undefined` if nothing fits. `pairs`: of rows that are pairs of texts, how long they are. */
export function plannedWay(
  { config, rows, length }: Shape,
  availableBytes: number,
  pairs?: { readonly lengths: Lengths; readonly sharesPrompts: boolean },
): Way | undefined {
  const lengths = pairs?.lengths ?? assumedLengths(rows, length);
  const preferences: TrainMemory['preferences'] = pairs && {
    ...{ texts: 2, supervised: 'answers', references: 0, sharesPrompts: pairs.sharesPrompts },
  };
  const stored = plannedBytes(config, () => 'F32', 'stored');
  const memory: TrainMemory = {
    config,
    weightBytes: {
      ...{ lora: stored, full: stored, head: stored, materialised: stored, paged: 0 },
      qlora: plannedBytes(config, () => 'F32', 'nf4'),
    },
    decoded: {
      ...{ lora: {}, qlora: { blocks: true }, full: {}, head: {}, materialised: {} },
      paged: { blocks: true, head: true },
    },
    adapter: loraOf(config),
    ...{ optimizer: 'adamw', lengths, validation: undefined, onDevice: false, planDecoder },
    preferences,
    runtime: 'onnx',
    steps: () => 1,
  };
  const shared = { preset: undefined, global: rows, micro: rows, fixedRank: true };
  const { plan, fits } = solve({
    start: fastestPlan({
      ...{
        ...shared,
        config,
        maxLength: length,
        longestPadded: longestPadded(memory, { maxLength: length }),
        lengths: computedRows(memory, length),
        texts: pairs === undefined || pairs.sharesPrompts ? 1 : 2,
        rank: RANK,
        alpha: 2 * RANK,
      },
    }),
    ladder: ladder({ ...shared, fallback: [], layers: config.layers, offloads: false }),
    availableBytes,
    peakOf: (candidate) => trainPeak(memory, candidate),
  });
  const { method, checkpointedBlocks, recomputedMlps, recomputedAttention, logitsChunk } = plan;
  return fits && (method === 'lora' || method === 'qlora')
    ? { by: 'ftpc', method, checkpointedBlocks, recomputedMlps, recomputedAttention, logitsChunk }
    : undefined;
}

/** Floating-point operations per token where nothing is computed twice. */
export function flopsPerToken({ config, rows, length }: Shape, logitsChunk: number): number {
  const { flops } = planDecoder({
    ...{ config, rows, length, logitsChunk, trainable: 'adapter', checkpointedBlocks: 0, dequantised: {} },
    adapter: loraOf(config),
    weightBytes: 0,
  });
  return flops / (rows * length);
}
