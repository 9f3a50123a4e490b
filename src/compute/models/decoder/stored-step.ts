/**
 * The next token of every row, through all blocks and the head in a few runs, over weights that are read as they are stored: a step
 * waits for memory, and codes of 4 bits are a fifth of what float32 is. Its sums are rounded differently from those over float32.
 */
import { discarded } from '../../tensor/garbage.js';
import { joinViews } from '../../tensor/join-views.js';
import type { CodeMatrix, CompiledGraph, FixedTensors, HostTensor } from '../../tensor/types.js';
import { type DecodeStackOptions, decodeStackGraph } from '../architectures/graphs/decode-step.js';
import { isFull } from '../weights/stored-codes.js';
import type { HostCaches, TokenCache } from './caches.js';
import type { VocabularyShard } from './chunks.js';
import type { DecoderContext } from './context.js';
import { headFactors } from './graphs.js';
import { logitsWidth } from './head.js';
import { floatTensor, type HostFloats, zeros } from './parameters.js';
import type { DecodePositions } from './position-inputs.js';
import type { Weights } from './weights.js';

/** Primes that no dimension of a model has: they stand for rows, and for the positions of the cache. */
const ANY_ROWS = 999_983;
const ANY_POSITIONS = 1_000_003;

/** What runs as one: blocks, and a shard of the vocabulary after the last of them. */
interface Part {
  readonly graph: CompiledGraph;
  readonly layers: readonly number[];
  readonly shard?: VocabularyShard;
}

/**
 * Digits of a code from which on several rows take longer than over float32, where that is there: each digit is a product. With one
 * (SmolLM2-135M in Q4_1, 2 to 32 rows, two cores of a Xeon), a step took 0.65 to 0.97 of the time; with two in most matrices (Gemma 3
 * 270M in Q4_K_M), 1.2 to 1.3 times as long.
 */
const MOST_DIGITS = 1.5;

/** Tokens that come first, over float32 where that is there: reading the codes takes about as long as they save. */
const FIRST_TOKENS = 32;

export interface StoredSteps {
  /** For one more token of so many rows; `undefined` where it is computed block by block. */
  next(rows: number): Promise<StoredStep | undefined>;
  release(): Promise<void>;
}

export function storedSteps(context: DecoderContext): StoredSteps {
  let tokens = 0;
  let opened: Promise<StoredStep | undefined> | undefined;
  const repays = repaysOver(context);
  return {
    async next(rows) {
      if (context.options.storedSteps !== true || !repays('blocks', rows)) return undefined;
      if (tokens < FIRST_TOKENS && !context.weights.decodesBlocks) {
        tokens += rows;
        return undefined;
      }
      opened ??= StoredStep.open(context, repays);
      return opened;
    },
    release: async () => (await opened)?.release(),
  };
}

/** Whether so many rows are computed over codes in less time than over float32: through the blocks, or the head. */
type Repays = (part: 'blocks' | 'head', rows: number) => boolean;

function repaysOver({ weights }: DecoderContext): Repays {
  let digits: Weights['digits'] | undefined;
  return (part, rows) => {
    if (rows === 1 || weights.decodesBlocks) return true;
    digits ??= weights.digits;
    return (digits[part] ?? MOST_DIGITS) < MOST_DIGITS;
  };
}

/** What is known of the rows. */
interface StepRows {
  readonly caches: HostCaches;
  readonly positions: DecodePositions;
  /** Tokens of each in the cache. */
  readonly lengths: Int32Array;
  /** What their logits are written into, `[rows, vocab]`. */
  readonly logits: Float32Array;
}

/** What a step of so many rows writes into: before and after each part, in every layer, and logits of a shard, by its size. */
interface StepBuffers {
  readonly rows: number;
  readonly states: readonly [HostTensor, HostTensor];
  readonly tokens: readonly TokenCache[];
  readonly logits: ReadonlyMap<number, HostFloats>;
}

class StoredStep {
  private buffers: StepBuffers;

  private constructor(
    private readonly context: Pick<DecoderContext, 'options' | 'blueprint'>,
    private readonly parts: readonly Part[],
    private readonly repays: Repays,
  ) {
    this.buffers = this.buffersOf(1);
  }

  /** `undefined` where the runtime cannot do it, or not every matrix of the blocks is stored as codes. */
  static async open(context: DecoderContext, repays: Repays): Promise<StoredStep | undefined> {
    const { options, blueprint, weights } = context;
    const { runtime, config, trainable, precision = 'f32' } = options;
    if (runtime.compileFixed === undefined || trainable !== 'none' || precision !== 'f32') return undefined;
    const parts: Part[] = [];
    const release = async () => {
      for (const { graph } of parts) await graph.release();
      return undefined;
    };
    let fixed = new Map<string, HostTensor | CodeMatrix>();
    let layers: DecodeStackOptions['layers'] = [];
    const close = async (shard?: VocabularyShard): Promise<boolean> => {
      const head = shard && headOf(context, shard);
      const graph = await runtime.compileFixed?.(
        joinViews(decodeStackGraph({ config, layers, rows: ANY_ROWS, capacity: ANY_POSITIONS, head })),
        fixed,
        [ANY_ROWS, ANY_POSITIONS],
      );
      if (graph !== undefined)
        parts.push({ graph, layers: layers.map(({ layer }) => layer), ...(shard && { shard }) });
      discarded(bytesOf(fixed));
      [fixed, layers] = [new Map(), []];
      return graph !== undefined;
    };
    const take = async (prefix: string, tensors: FixedTensors): Promise<boolean> => {
      if (isFull(bytesOf(fixed), bytesOf(tensors)) && !(await close())) return false;
      for (const [name, tensor] of tensors) fixed.set(`${prefix}.${name}`, tensor);
      return true;
    };
    for (const [layer, place] of blueprint.layers.entries()) {
      const block = weights.fixedBlock(layer);
      if (block === undefined || !(await take(`${layer}`, block))) return release();
      layers = [...layers, { layer, kind: context.kindOf(layer), place }];
    }
    const head = weights.fixedHead();
    const shards = head === undefined ? [] : (context.shards ?? [{ first: 0, size: logitsWidth(context) }]);
    // a head of one shard goes with the last blocks
    if (shards.length !== 1 && !(await close())) return release();
    for (const shard of shards)
      if (!(await take('head', head?.(shard) ?? new Map())) || !(await close(shard))) return release();
    return new StoredStep(context, parts, repays);
  }

  /**
   * From the embedded tokens, which it may overwrite: their keys and values enter the caches. Logits `[rows, vocab]`, or the hidden
   * states `[rows, hidden]` before a head that is not stored as codes, or takes longer over them.
   */
  async run(
    embedded: (x: HostTensor) => Promise<void>,
    given: StepRows,
  ): Promise<{ logits: Float32Array } | { hidden: HostTensor }> {
    const { caches, lengths, logits } = given;
    const rows = lengths.length;
    if (this.buffers.rows !== rows) this.buffers = this.buffersOf(rows);
    const { states, tokens } = this.buffers;
    let [x, y] = states;
    await embedded(x);
    const last = this.parts.at(-1);
    // a head that goes with the last blocks is computed with them
    const hasHead = last?.shard !== undefined && (last.layers.length > 0 || this.repays('head', rows));
    const width = logitsWidth(this.context);
    for (const { graph, layers, shard } of this.parts) {
      if (shard !== undefined && !hasHead) break;
      const part = shard && this.buffers.logits.get(shard.size);
      await graph.run(
        { x, ...this.inputs(layers, given) },
        { y, ...(part && { logits: part }), ...this.outputs(layers) },
      );
      if (shard === undefined) [x, y] = [y, x];
      else if (part !== undefined) spread(part.data, shard, { logits, width });
    }
    for (const [layer, token] of tokens.entries()) caches.append(layer, lengths, token);
    return hasHead ? { logits } : { hidden: x };
  }

  async release(): Promise<void> {
    for (const { graph } of this.parts) await graph.release();
  }

  private buffersOf(rows: number): StepBuffers {
    const { options, blueprint } = this.context;
    const { keyValueHeads, headDim, hiddenSize } = options.config;
    const shape = [rows * keyValueHeads, 1, headDim];
    const sizes = new Set(this.parts.flatMap(({ shard }) => shard?.size ?? []));
    return {
      rows,
      states: [zeros([rows, hiddenSize]), zeros([rows, hiddenSize])],
      tokens: blueprint.layers.map(() => ({ key: zeros(shape), value: zeros(shape) })),
      logits: new Map([...sizes].map((size) => [size, zeros([rows, size])])),
    };
  }

  private inputs(
    layers: readonly number[],
    { caches, positions }: StepRows,
  ): Readonly<Record<string, HostTensor>> {
    const inputs: Record<string, HostTensor> = {};
    for (const layer of layers) {
      for (const [name, tensor] of Object.entries(caches.inputs(layer))) inputs[`${layer}.${name}`] = tensor;
      const place = this.context.blueprint.layers[layer] ?? '';
      for (const [name, tensor] of Object.entries(positions.inputs(layer)))
        inputs[`${place}.${name}`] = tensor;
    }
    return inputs;
  }

  private outputs(layers: readonly number[]): Readonly<Record<string, HostTensor>> {
    const outputs: Record<string, HostTensor> = {};
    for (const layer of layers) {
      const { key, value } = this.buffers.tokens[layer] ?? {
        key: floatTensor([0], new Float32Array(0)),
        value: zeros([0]),
      };
      [outputs[`${layer}.key`], outputs[`${layer}.value`]] = [key, value];
    }
    return outputs;
  }
}

/** Puts the logits of a shard among those of the whole vocabulary, row by row. */
function spread(
  part: Float32Array,
  { first, size }: VocabularyShard,
  { logits, width }: { readonly logits: Float32Array; readonly width: number },
): void {
  for (let row = 0; row * size < part.length; row++)
    logits.set(part.subarray(row * size, (row + 1) * size), row * width + first);
}

/** The head over a shard of the vocabulary. */
function headOf({ blueprint: { head }, graphs }: DecoderContext, { size }: VocabularyShard) {
  const [, ...columns] = head.output.shape;
  const output = { ...head.output, shape: [size, ...columns] };
  return { ...head, output, factors: headFactors(graphs) };
}

const bytesOf = (fixed: FixedTensors): number =>
  [...fixed.values()].reduce((sum, tensor) => sum + sizeOfOne(tensor), 0);

const sizeOfOne = (tensor: HostTensor | CodeMatrix): number =>
  'data' in tensor
    ? tensor.data.byteLength
    : tensor.digits.reduce(
        (sum, { codes, scales }) => sum + codes.byteLength + scales.byteLength,
        tensor.offsets?.byteLength ?? 0,
      );
