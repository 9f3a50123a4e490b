/** What single answers over codes as they are stored take besides the weights (see `decoder/stored-step.ts`); for plans too. */
import { sizeOf } from '../../tensor/shape.js';
import type { AdapterConfig } from '../adapters/config.js';
import { blueprintOf, expectedTensors, type NamedShape } from '../architectures/index.js';
import type { ModelConfig } from '../types.js';
import { codeBytes, isCoded } from './digits.js';
import type { FormatOf } from './load.js';

interface PlannedCodes {
  /** Bytes that stay. */
  readonly bytes: number;
  /** Bytes while they are compiled, at most. */
  readonly peak: number;
}

const NONE: PlannedCodes = { bytes: 0, peak: 0 };

/**
 * While codes are compiled, they exist several times: those of some blocks, and those of the head, which are one piece. Growth of
 * the peak of processes that were asked once, beyond the codes that stay: 109 to 115 MiB with SmolLM2, whose head has 20 to 34
 * MiB of them, in Q4_1, Q8_0 and Q6_K; 390 and 398 MiB with Gemma 3 270M, whose head has 200, in Q8_0 and Q4_K_M. Node 20,
 * onnxruntime-node 1.30, Linux x64.
 */
const COMPILED = { blocks: 64 * 2 ** 20, head: 1.65 } as const;

/** Whether tokens are multiplied by what is stored alone: DoRA needs the matrices themselves, and others are not tried. */
export const takesCodes = (adapter: AdapterConfig | undefined): boolean =>
  adapter === undefined || (adapter.kind === 'lora' && adapter.dora !== true);

/** Nothing where not every matrix of the blocks is stored as codes. */
export function plannedCodes(config: ModelConfig, formatOf: FormatOf): PlannedCodes {
  const bytesOf = ({ name, shape }: Pick<NamedShape, 'name' | 'shape'>): number | undefined => {
    const format = formatOf(name);
    return isCoded(format) ? codeBytes(format, sizeOf(shape)) : undefined;
  };
  const blocks = expectedTensors(config)
    .filter(({ role }) => role === 'projection')
    .map((tensor) => (tensor.transposed ? undefined : bytesOf(tensor)));
  const held = blocks.filter((one) => one !== undefined);
  if (held.length < blocks.length) return NONE;
  const head = bytesOf(blueprintOf(config).head.output) ?? 0;
  const bytes = held.reduce((sum, one) => sum + one, head);
  return { bytes, peak: bytes + Math.min(bytes, COMPILED.blocks) + COMPILED.head * head };
}
