/** What answers over codes as they are stored take besides the weights (see `decoder/stored-step.ts`); for plans too. */
import { HeldBytes } from '../../tensor/held-bytes.js';
import { zerosBytes } from '../../tensor/runtimes/onnx/coded-sizes.js';
import { sizeOf } from '../../tensor/shape.js';
import type { AdapterConfig } from '../adapters/config.js';
import { blockName, blockOf, blockTensors, blueprintOf } from '../architectures/index.js';
import { vocabularyShardSize, vocabularyShards } from '../decoder/chunks.js';
import type { ModelConfig } from '../types.js';
import { type CodedName, codeBytes, digitsLike, isCoded } from './digits.js';
import type { FormatOf } from './load.js';

export interface PlannedCodes {
  /** Bytes of codes. */
  readonly bytes: number;
  /** Bytes once they are compiled, and while they are, at most. */
  readonly held: number;
  readonly peak: number;
  /** Graphs that they are compiled into. */
  readonly graphs: number;
}

/** Bytes of codes that are compiled as one: they exist several times while they are. */
const COMPILED_TOGETHER = 8 * 2 ** 20;

/** Whether what is to be compiled next makes too much of what is there. */
export const isFull = (held: number, next: number): boolean => held > 0 && held + next > COMPILED_TOGETHER;

/** Whether tokens are multiplied by what is stored alone: DoRA needs the matrices themselves, and others are not tried. */
export const takesCodes = (adapter: AdapterConfig | undefined): boolean =>
  adapter === undefined || (adapter.kind === 'lora' && adapter.dora !== true);

/** `undefined` where not every matrix of the blocks is stored as codes, or nothing is computed with them here. */
export function plannedCodes(config: ModelConfig, formatOf: FormatOf): PlannedCodes | undefined {
  if (config.foreign !== undefined) return undefined;
  const blueprint = blueprintOf(config);
  const compiled = new Compiled();
  for (const layer of blueprint.layers.keys()) {
    const matrices = blockTensors(blockOf(blueprint, layer), config.headDim)
      .filter(({ role }) => role === 'projection')
      .map(({ name, shape, transposed }) => {
        const format = formatOf(blockName(blueprint, layer, name));
        return transposed || !isCoded(format) ? undefined : { format, shape };
      });
    const coded = matrices.filter((one) => one !== undefined);
    if (coded.length < matrices.length) return undefined;
    compiled.add(coded);
  }
  const { name, shape } = blueprint.head.output;
  const format = formatOf(name);
  if (isCoded(format)) {
    const [tokens = 0, ...columns] = shape;
    const shardSize = vocabularyShardSize(config);
    if (shardSize !== undefined) compiled.close();
    for (const { size } of vocabularyShards(tokens, shardSize ?? tokens)) {
      compiled.add([{ format, shape: [size, ...columns] }]);
      compiled.close();
    }
  }
  compiled.close();
  return compiled.planned;
}

/** A matrix of codes. */
interface CodedShape {
  readonly format: CodedName;
  readonly shape: readonly number[];
}

/** What is compiled, one graph after another. */
class Compiled {
  private readonly memory = new HeldBytes();
  private bytes = 0;
  private held = 0;
  private graphs = 0;
  /** Of the graph that is compiled next: bytes of its codes, and of what lies next to them. */
  private codes = 0;
  private zeros = 0;

  add(matrices: readonly CodedShape[]): void {
    const bytes = matrices.reduce((sum, { format, shape }) => sum + codeBytes(format, sizeOf(shape)), 0);
    if (isFull(this.codes, bytes)) this.close();
    this.codes += bytes;
    for (const { format, shape } of matrices) {
      const [rows = 0, columns = 0] = shape;
      const { block, zeros } = digitsLike(format);
      for (const zero of zeros) this.zeros += rows * zerosBytes(zero, columns / block);
    }
  }

  /** Codes are there as they were read, as the text of the graph, as the library parses it, and as what the graph has of it in the end. */
  close(): void {
    const { codes, zeros, memory } = this;
    if (codes === 0) return;
    const text = codes + zeros;
    memory.add(codes);
    for (const _ of ['text', 'parsed', 'compiled']) memory.add(text);
    memory.free(text);
    memory.discard(text);
    memory.discard(codes);
    this.graphs++;
    this.bytes += codes;
    this.held += text;
    [this.codes, this.zeros] = [0, 0];
  }

  get planned(): PlannedCodes {
    const { bytes, graphs, held, memory } = this;
    return { bytes, graphs, held, peak: memory.most };
  }
}
