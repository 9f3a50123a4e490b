/** Where a GGUF file keeps a model's tensors, and how: by what a tensor does, so that every family has one table. */
import {
  type BlockBlueprint,
  type Blueprint,
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

interface PlacedTensor {
  readonly name: string;
  /** Name in the file. */
  readonly ggufName: string;
  readonly arrangement: Arrangement;
}

const SAME: Arrangement = { kind: 'same' };

/** Every tensor that the config asks for. `rotatesPairs`: llama.cpp turns neighbours where Hugging Face turns halves. */
export function ggufLayout(config: ModelConfig, rotatesPairs: boolean): readonly PlacedTensor[] {
  const blueprint = blueprintOf(config);
  const known = new Map<string, readonly [string, Arrangement]>();
  const outer = outerModules(blueprint);
  for (const [module, part] of outer) known.set(module, [part, SAME]);
  const { norm } = blueprint.head;
  known.set(norm.module, ['output_norm', norm.offset === 1 ? { kind: 'one_more' } : SAME]);
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

function outerModules({ embedding, positions, head }: Blueprint): readonly (readonly [string, string])[] {
  return [
    [moduleOf(head.output.name), 'output'],
    [moduleOf(embedding.name), 'token_embd'],
    ...(positions === undefined ? [] : ([[moduleOf(positions.name), 'position_embd']] as const)),
  ];
}

type PlacedModule = readonly [module: string, part: string, arrangement: Arrangement];

function blockModules(
  { attention, mlp }: BlockBlueprint,
  { headDim, heads }: ModelConfig,
  rotatesPairs: boolean,
): readonly PlacedModule[] {
  const turned = rotatesPairs ? pairsOfHeads(headDim) : SAME;
  const projections = [
    ...(attention.inputs.kind === 'separate'
      ? ([
          [attention.inputs.q, 'attn_q', turned],
          [attention.inputs.k, 'attn_k', turned],
          [attention.inputs.v, 'attn_v', SAME],
        ] as const)
      : ([
          [
            attention.inputs.all,
            'attn_qkv',
            attention.inputs.order === 'heads' ? partsOfHeads(heads, headDim) : SAME,
          ],
        ] as const)),
    [attention.output, 'attn_output', SAME] as const,
    ...(mlp.up.kind === 'gated' ? ([[mlp.up.gate, 'ffn_gate', SAME]] as const) : []),
    [mlp.up.kind === 'fused' ? mlp.up.both : mlp.up.up, 'ffn_up', SAME] as const,
    [mlp.down, 'ffn_down', SAME] as const,
  ];
  const norms = [
    [attention.norm, 'attn_norm'],
    [attention.after, 'post_attention_norm'],
    [attention.headNorms?.q, 'attn_q_norm'],
    [attention.headNorms?.k, 'attn_k_norm'],
    [mlp.norm, 'ffn_norm'],
    [mlp.after, 'post_ffw_norm'],
  ] as const;
  return [
    ...projections.map(
      ([projection, part, arrangement]): PlacedModule => [
        projection.module,
        part,
        projection.transposed ? { kind: 'transposed' } : arrangement,
      ],
    ),
    ...norms.flatMap(([norm, part]): readonly PlacedModule[] =>
      norm === undefined ? [] : [[norm.module, part, norm.offset === 1 ? { kind: 'one_more' } : SAME]],
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
