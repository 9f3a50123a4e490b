import { GraphBuilder } from '../../../tensor/builder.js';
import type { Graph, NamedValue, ValueId } from '../../../tensor/types.js';
import { isAdapterTensor, type LayerKind } from '../../adapters/kinds.js';
import type { ModelConfig } from '../../types.js';
import { attend, maskShape, queriesKeysValues } from './attention.js';
import { normalise } from './elementwise.js';
import { addGradients, type BlockInputs, blockInputs } from './inputs.js';
import { type BlockPart, joinResiduals } from './residual.js';

/** Rows of one length that go through a block at once. */
interface BlockOptions {
  readonly config: ModelConfig;
  readonly kind: LayerKind;
  readonly rows: number;
  readonly length: number;
  /** Rows hold several texts, of at most so many tokens, told apart by the input `segments`. */
  readonly packed?: number;
  /** Rows hold texts that begin alike, told apart by the input `forks`. */
  readonly forked?: boolean;
  /** Tokens whose keys and values are there before: those that every text attends to, or as many places of each row; default: 0. */
  readonly prefix?: number;
  /** Each row has keys, values and a mask of its own before it. */
  readonly ownPrefixes?: boolean;
  /** Of the products that the graph will be given; merging a small update into a matrix of few bits would lose it. */
  readonly precision?: 'f32' | 'bf16';
  /** Queries of a row that meet the keys at a time. */
  readonly queryBlock?: number;
  /**
   * Gradients compute probabilities again, block by block: less memory where nothing is saved, for a quarter more
   * products of scores.
   */
  readonly attendsAgain?: boolean;
  /** Keys that a block of queries meets at a time, if not all that it may see: see `attendInTiles`. */
  readonly keyTile?: number;
  /** Fraction of the adapter's inputs that masks set to zero, which are then graph inputs; 0 for none. */
  readonly dropout: number;
  /** Whose gradients the backward part gives. */
  readonly trainable: 'adapter' | 'full' | 'none';
}

/**
 * Forward and backward of one block. Inputs: `x` `[rows·length, hidden]`, `cos` and `sin` `[rows, length, dims/2]`
 * where the block has rotary embeddings, `mask` `[1, 1, …maskShape(length)]` (added to the scores), `segments`
 * `[rows, length]` where rows hold several texts (see `Batch.segments`), `forks` likewise where these begin alike,
 * `prefix.keys`, `prefix.values` and `prefix.mask` where there is a prefix (see `PastValues`), weights and adapter
 * tensors by their names within the block, `dropout.MODULE` (bool), `dy`, and `total.NAME` for each trained tensor.
 * Outputs: `y`, `dx`, and `grad.NAME` = `total.NAME` + gradient.
 */
interface BlockGraph {
  readonly joint: Graph;
  /** Values of each part that are expensive to recompute and small to save, as `saved.NAME`. */
  readonly saved: Readonly<Record<BlockPart, readonly NamedValue[]>>;
  /** Keys and values of the whole row, `[rows·keyValueHeads, length, dim]`, as `keys` and `values`. */
  readonly cache: readonly NamedValue[];
}

/**
 * The graph of one kind of block: forward, and backward unless nothing is trained. Its inputs and outputs are those
 * of {@link BlockGraph}.
 */
export function blockGraph(options: BlockOptions): BlockGraph {
  const { config, kind, rows, length, trainable } = options;
  const b = new GraphBuilder('block');
  const { weight, declared } = blockInputs(b);
  const x = b.input('x', [rows * length, config.hiddenSize]);
  const { layer, mask } = layerInputs(b, weight, options);
  const { norm } = kind.block.attention;
  const met = queriesKeysValues(layer, normalise(layer, norm, x), options);
  const { mixed: context, probabilities = [], logSums } = attend(layer, met, mask, options);
  const { y, saved } = joinResiduals(layer, kind.block, x, context);
  b.output('y', y);
  if (trainable !== 'none') {
    const trained = [...declared].filter(
      ([name]) => trainable === 'full' || isAdapterTensor(name) || kind.biases.includes(name),
    );
    addGradients(b, { value: y, gradient: b.input('dy', b.shapeOf(x)) }, trained, x);
  }
  const joint = b.build();
  return {
    joint,
    saved: {
      probabilities: numbered(probabilities, 'saved.probabilities'),
      attention: sources(
        joint,
        { ...met, context, ...(logSums !== undefined && { logSums }), ...saved.attention },
        'saved.',
      ),
      mlp: sources(joint, saved.mlp, 'saved.'),
      lows: numbered(layer.lows, 'saved.lows'),
    },
    cache: [
      { name: 'keys', value: met.keys },
      { name: 'values', value: met.values },
    ],
  };
}

/** Declares what a layer reads besides `x` and its weights. */
function layerInputs(b: GraphBuilder, weight: BlockInputs['weight'], options: BlockOptions) {
  const { config, kind, rows, length, dropout, queryBlock, precision, packed, forked } = options;
  const { attendsAgain, keyTile, prefix = 0, ownPrefixes = false } = options;
  const { block, branches, bottlenecks } = kind;
  const { rotary } = block.attention;
  const turns = [rows, length, (rotary?.dims ?? 0) / 2];
  const angles = rotary && { cos: b.input('cos', turns), sin: b.input('sin', turns) };
  const mask = b.input('mask', [1, 1, ...maskShape(length, queryBlock)]);
  const segments = packed !== undefined ? b.input('segments', [rows, length]) : undefined;
  const forks = forked === true ? b.input('forks', [rows, length]) : undefined;
  const lanes = [ownPrefixes ? rows * config.keyValueHeads : config.keyValueHeads, prefix, config.headDim];
  const masks = ownPrefixes || packed !== undefined || forked === true ? rows : 1;
  const lows: ValueId[] = [];
  const layer = {
    builder: b,
    branches,
    bottlenecks,
    dropout,
    merges: precision !== 'bf16',
    rounds: precision === 'bf16',
    lows,
    weight,
    config,
    attention: block.attention,
    angles,
    queryBlock,
    attendsAgain,
    keyTile,
    segments,
    forks,
    prefix:
      prefix === 0
        ? undefined
        : {
            keys: weight('prefix.keys', lanes),
            values: weight('prefix.values', lanes),
            mask: b.input('prefix.mask', [masks, 1, length, prefix]),
          },
    reach: packed,
  };
  return { layer, mask };
}

const numbered = (values: readonly ValueId[], prefix: string): readonly NamedValue[] =>
  values.map((value, index) => ({ name: `${prefix}.${index}`, value }));

/** Named values, and for a view its source: as an output of the graph a view would be a copy of it. */
function sources(
  { nodes }: Graph,
  values: Readonly<Record<string, ValueId>>,
  prefix: string,
): readonly NamedValue[] {
  const views = new Map(
    nodes.flatMap(({ op, inputs, outputs }) => (op === 'reshape' ? [[outputs[0], inputs[0]]] : [])),
  );
  return Object.entries(values).map(([name, value]) => ({
    name: `${prefix}${name}`,
    value: views.get(value) ?? value,
  }));
}
