/**
 * The next token of a single row, through all blocks and the head in a few runs, over weights that are read as they are stored: a
 * token of one row waits for memory, and codes of 4 bits are a fifth of what float32 is. Its sums are rounded differently from those
 * of several rows.
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
import { floatTensor, zeros } from './parameters.js';
import type { DecodePositions } from './position-inputs.js';

/** A size that no dimension of a model has: it stands for the positions of the cache. */
const ANY_POSITIONS = 1_000_003;

/** What runs as one: blocks, and a shard of the vocabulary after the last of them. */
interface Part {
  readonly graph: CompiledGraph;
  readonly layers: readonly number[];
  readonly shard?: VocabularyShard;
}

/** Tokens of single rows that come first, as others do: reading the codes takes about as long as they save. */
const FIRST_TOKENS = 32;

export interface StoredSteps {
  /** For one more token; `undefined` where it is computed as those of several rows. */
  next(): Promise<StoredStep | undefined>;
  release(): Promise<void>;
}

export function storedSteps(context: DecoderContext): StoredSteps {
  let tokens = 0;
  let opened: Promise<StoredStep | undefined> | undefined;
  return {
    async next() {
      if (context.options.storedSteps !== true) return undefined;
      if (tokens++ < FIRST_TOKENS && !context.weights.decodesBlocks) return undefined;
      opened ??= StoredStep.open(context);
      return opened;
    },
    release: async () => (await opened)?.release(),
  };
}

/** What is known of a row. */
interface StepRow {
  readonly caches: HostCaches;
  readonly positions: DecodePositions;
  /** Tokens in the cache. */
  readonly lengths: Int32Array;
}

class StoredStep {
  private readonly tokens: readonly TokenCache[];
  private readonly states: readonly [HostTensor, HostTensor];

  private constructor(
    private readonly context: Pick<DecoderContext, 'options' | 'blueprint'>,
    private readonly parts: readonly Part[],
  ) {
    const { config } = context.options;
    const shape = [config.keyValueHeads, 1, config.headDim];
    this.tokens = context.blueprint.layers.map(() => ({ key: zeros(shape), value: zeros(shape) }));
    this.states = [zeros([1, config.hiddenSize]), zeros([1, config.hiddenSize])];
  }

  /** `undefined` where the runtime cannot do it, or not every matrix of the blocks is stored as codes. */
  static async open(context: DecoderContext): Promise<StoredStep | undefined> {
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
        joinViews(decodeStackGraph({ config, layers, capacity: ANY_POSITIONS, head })),
        fixed,
        ANY_POSITIONS,
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
    const shards = head === undefined ? [] : (context.shards ?? [{ first: 0, size: widthOf(context) }]);
    // a head of one shard goes with the last blocks
    if (shards.length !== 1 && !(await close())) return release();
    for (const shard of shards)
      if (!(await take('head', head?.(shard) ?? new Map())) || !(await close(shard))) return release();
    return new StoredStep(context, parts);
  }

  /**
   * From the embedded token, which it may overwrite: its keys and values enter the caches. Logits `[vocab]`, or the hidden state
   * `[1, hidden]` before a head that is not stored as codes.
   */
  async run(
    embedded: (x: HostTensor) => Promise<void>,
    row: StepRow,
  ): Promise<{ logits: Float32Array } | { hidden: HostTensor }> {
    let [x, y] = this.states;
    await embedded(x);
    const hasHead = this.parts.at(-1)?.shard !== undefined;
    const logits = new Float32Array(hasHead ? widthOf(this.context) : 0);
    for (const { graph, layers, shard } of this.parts) {
      const given = shard && { logits: logitsOf(logits, shard) };
      await graph.run({ x, ...this.inputs(layers, row) }, { y, ...given, ...this.outputs(layers) });
      if (shard === undefined) [x, y] = [y, x];
    }
    for (const [layer, token] of this.tokens.entries()) row.caches.append(layer, row.lengths, token);
    return hasHead ? { logits } : { hidden: x };
  }

  async release(): Promise<void> {
    for (const { graph } of this.parts) await graph.release();
  }

  private inputs(
    layers: readonly number[],
    { caches, positions }: StepRow,
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
      const { key, value } = this.tokens[layer] ?? {
        key: floatTensor([0], new Float32Array(0)),
        value: zeros([0]),
      };
      [outputs[`${layer}.key`], outputs[`${layer}.value`]] = [key, value];
    }
    return outputs;
  }
}

/** Logits of a token. */
const widthOf = ({ blueprint }: Pick<DecoderContext, 'blueprint'>): number =>
  blueprint.head.output.shape[0] ?? 0;

/** Those of a shard, where they are of all. */
const logitsOf = (logits: Float32Array, { first, size }: VocabularyShard): HostTensor =>
  floatTensor([1, size], logits.subarray(first, first + size));

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
