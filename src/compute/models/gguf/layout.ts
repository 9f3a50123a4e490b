/** Where a GGUF file keeps a model's tensors, and how: by what a tensor does, so that every family has one table. */
import type { NamedShape, Norm } from '../architectures/blueprint.js';
import {
  type BlockBlueprint,
  blockName,
  blockOf,
  blueprintOf,
  expectedTensors,
} from '../architectures/index.js';
import type { ModelConfig } from '../types.js';

/** What llama.cpp's converter has done to a tensor (`convert_hf_to_gguf.py`). */
export type Arrangement =
  | { readonly kind: 'same' }
  /**
   * Rows are in another order: of blocks of `axes` rows, ours go by the first axis, then the second, and theirs the
   * other way round; the third stays. `theirs` is where a row of ours is; it stays within its `unit` rows or moves with
   * its neighbours.
   */
  | {
      readonly kind: 'rows';
      readonly unit: number;
      readonly axes: RowAxes;
      readonly theirs: (row: number) => number;
    }
  /** `[outputs, inputs]` where Hugging Face has `[inputs, outputs]`. */
  | { readonly kind: 'transposed' }
  /** One was added: Gemma's norms. */
  | { readonly kind: 'one_more' };

type RowAxes = readonly [first: number, second: number, rows: number];

export const SAME: Arrangement = { kind: 'same' };

/** A tensor of a model, and where a file has it. */
export interface PlacedTensor extends NamedShape {
  readonly ggufName: string;
  readonly arrangement: Arrangement;
  /** Which it is of the stack of tensors that is in the file. */
  readonly member?: number;
  /** It has other dimensions in the file. */
  readonly isReshaped?: true;
}

/**
 * Every tensor that the config asks for, with its name in the file. `rotatesPairs`: llama.cpp turns neighbours where
 * Hugging Face turns halves.
 */
export function ggufLayout(config: ModelConfig, rotatesPairs: boolean): readonly PlacedTensor[] {
  const blueprint = blueprintOf(config);
  const { embedding, positions, head } = blueprint;
  const known = new Map<string, readonly [string, Arrangement]>([
    [moduleOf(head.output.name), ['output', SAME]],
    [moduleOf(embedding.name), ['token_embd', SAME]],
    [moduleOf(positions?.name ?? ''), ['position_embd', SAME]],
    [head.norm.module, ['output_norm', arrangedNorm(head.norm)]],
  ]);
  blueprint.layers.forEach((_, layer) => {
    const block = blockOf(blueprint, layer);
    for (const [module, part, arrangement] of blockModules(block, config, rotatesPairs))
      known.set(blockName(blueprint, layer, module), [`blk.${layer}.${part}`, arrangement]);
  });
  return expectedTensors(config).map(({ name, shape }) => {
    const at = name.lastIndexOf('.');
    const [part, arrangement] = known.get(name.slice(0, at)) ?? [name.slice(0, at), SAME];
    // what is transposed has two dimensions: a bias is as it was
    const moved = arrangement.kind !== 'transposed' || shape.length === 2;
    return { name, shape, ggufName: `${part}${name.slice(at)}`, arrangement: moved ? arrangement : SAME };
  });
}

const moduleOf = (name: string): string => name.slice(0, name.lastIndexOf('.'));

const arrangedNorm = ({ offset }: Norm): Arrangement => (offset === 1 ? { kind: 'one_more' } : SAME);

type PlacedModule = readonly [module: string, part: string, arrangement: Arrangement];

function blockModules(
  { attention, mlp }: BlockBlueprint,
  { headDim, heads }: ModelConfig,
  rotatesPairs: boolean,
): readonly PlacedModule[] {
  const turned = rotatesPairs ? pairsOfHeads(headDim) : SAME;
  const { inputs } = attention;
  const [separate, fused] = inputs.kind === 'separate' ? [inputs, undefined] : [undefined, inputs];
  const projections = [
    [separate?.q, 'attn_q', turned],
    [separate?.k, 'attn_k', turned],
    [separate?.v, 'attn_v', SAME],
    [fused?.all, 'attn_qkv', fused?.order === 'heads' ? partsOfHeads(heads, headDim) : SAME],
    [attention.output, 'attn_output', SAME],
    [mlp.up.kind === 'gated' ? mlp.up.gate : undefined, 'ffn_gate', SAME],
    [mlp.up.kind === 'fused' ? mlp.up.both : mlp.up.up, 'ffn_up', SAME],
    [mlp.down, 'ffn_down', SAME],
  ] as const;
  const norms = [
    [attention.norm, 'attn_norm'],
    [attention.after, 'post_attention_norm'],
    [attention.headNorms?.q, 'attn_q_norm'],
    [attention.headNorms?.k, 'attn_k_norm'],
    [mlp.norm, 'ffn_norm'],
    [mlp.after, 'post_ffw_norm'],
  ] as const;
  return [
    ...projections.flatMap(([projection, part, arrangement]): readonly PlacedModule[] =>
      projection === undefined
        ? []
        : [[projection.module, part, projection.transposed ? { kind: 'transposed' } : arrangement]],
    ),
    ...norms.flatMap(([norm, part]): readonly PlacedModule[] =>
      norm === undefined ? [] : [[norm.module, part, arrangedNorm(norm)]],
    ),
  ];
}

/** Row (head, half, i) here is row (head, i, half) there (`LlamaModel.permute`). */
export const pairsOfHeads = (headDim: number): Arrangement => inAxes(headDim, [2, headDim / 2, 1]);

/** Row (head, part, i) here is row (part, head, i) there (`GPTNeoXModel.modify_tensors`). */
const partsOfHeads = (heads: number, headDim: number): Arrangement => inAxes(headDim, [heads, 3, headDim]);

function inAxes(unit: number, axes: RowAxes): Arrangement {
  const [first, second, rows] = axes;
  const block = first * second * rows;
  return {
    kind: 'rows',
    unit,
    axes,
    theirs(row) {
      const group = Math.floor((row % block) / rows);
      const [i, j] = [Math.floor(group / second), group % second];
      return row - (row % block) + (j * first + i) * rows + (row % rows);
    },
  };
}
