/** Where a GGUF file keeps a model's tensors, and how: by what a tensor does, so that every family has one table. */
import type { Norm } from '../architectures/blueprint.js';
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
  /** Rows are in another order: `theirs` is where a row of ours is; it stays within its `unit` rows or moves with its neighbours. */
  | { readonly kind: 'rows'; readonly unit: number; readonly theirs: (row: number) => number }
  /** `[outputs, inputs]` where Hugging Face has `[inputs, outputs]`. */
  | { readonly kind: 'transposed' }
  /** One was added: Gemma's norms. */
  | { readonly kind: 'one_more' };

const SAME: Arrangement = { kind: 'same' };

/** Every tensor that the config asks for, with its name in the file. `rotatesPairs`: llama.cpp turns neighbours where Hugging Face turns halves. */
export function ggufLayout(
  config: ModelConfig,
  rotatesPairs: boolean,
): readonly { readonly name: string; readonly ggufName: string; readonly arrangement: Arrangement }[] {
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
    return { name, ggufName: `${part}${name.slice(at)}`, arrangement: moved ? arrangement : SAME };
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
function pairsOfHeads(headDim: number): Arrangement {
  const half = headDim / 2;
  return {
    kind: 'rows',
    unit: headDim,
    theirs(row) {
      const within = row % headDim;
      return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
    },
  };
}

/** Row (head, part, i) here is row (part, head, i) there (`GPTNeoXModel.modify_tensors`). */
function partsOfHeads(heads: number, headDim: number): Arrangement {
  return {
    kind: 'rows',
    unit: headDim,
    theirs(row) {
      const group = Math.floor(row / headDim);
      return ((group % 3) * heads + Math.floor(group / 3)) * headDim + (row % headDim);
    },
  };
}
