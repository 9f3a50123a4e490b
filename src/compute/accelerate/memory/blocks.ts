/**
 * How the blocks of architectures compute in transformers (5.24, read in its source): what autograd saves follows from it.
 * Names are those of `model_type`.
 */
import type { BlockTraits } from './shape.js';

/** RMS norms before attention and MLP, separate projections, a gated MLP: its gate, what SiLU makes of it, and `up`. */
const LLAMA: BlockTraits = { norm: 'rms', normInputs: 2, norms: 2, mlpSaved: 3, isGated: true };

/** Both norms read the block's input; GELU saves its input. */
const NEOX: BlockTraits = {
  norm: 'layer',
  normInputs: 1,
  norms: 2,
  fusedQkv: true,
  copiesOutput: true,
  mlpSaved: 1,
  isGated: false,
};

/** GELU written out in Python: each of its products saves an operand. */
const GPT2: BlockTraits = {
  norm: 'layer',
  normInputs: 2,
  norms: 2,
  fusedQkv: true,
  keysAreViews: true,
  mlpSaved: 4,
  isGated: false,
};

export const BLOCKS = {
  llama: LLAMA,
  mistral: LLAMA,
  mistral3: LLAMA,
  qwen2: LLAMA,
  smollm3: LLAMA,
  mixtral: LLAMA,
  qwen2_moe: LLAMA,
  qwen3: { ...LLAMA, headNorms: true },
  qwen3_moe: { ...LLAMA, headNorms: true },
  olmoe: { ...LLAMA, headNorms: true },
  minimax_m2: { ...LLAMA, headNorms: true },
  qwen3_next: { ...LLAMA, headNorms: true },
  qwen3_5: { ...LLAMA, headNorms: true },
  qwen3_5_moe: { ...LLAMA, headNorms: true },
  qwen3_5_text: { ...LLAMA, headNorms: true },
  qwen3_5_moe_text: { ...LLAMA, headNorms: true },
  phimoe: { ...LLAMA, norm: 'layer' },
  /** The square of ReLU saves what ReLU gave. */
  nemotron: { ...LLAMA, norm: 'layer', mlpSaved: 1, isGated: false },
  /** xIELU is written out in Python. */
  apertus: { ...LLAMA, headNorms: true, mlpSaved: 3.5, isGated: false },
  olmo2: { ...LLAMA, headNorms: true },
  olmo3: { ...LLAMA, headNorms: true },
  glm4: { ...LLAMA, norms: 4, normInputs: 4, copiesOutput: true },
  gemma: LLAMA,
  gemma2: { ...LLAMA, norms: 4, normInputs: 4, isAlwaysEager: true, eager: 8, capsLogits: true },
  gemma3: { ...LLAMA, norms: 4, normInputs: 4, headNorms: true },
  phi3: { ...LLAMA, fusedQkv: true, copiesOutput: true },
  /** Qwen's own code of 2023. */
  qwen: { ...LLAMA, fusedQkv: true },
  chatglm: { ...LLAMA, fusedQkv: true, repeatsKeys: true },
  phi: { copiesOutput: true, norm: 'layer', normInputs: 1, norms: 1, mlpSaved: 4, isGated: false },
  gpt_neox: NEOX,
  falcon: { ...NEOX, norms: 1 },
  stablelm_alpha: { ...NEOX, normInputs: 1 },
  gpt2: GPT2,
  bloom: { ...GPT2, keysAreViews: true, isAlwaysEager: true },
  gpt_bigcode: { ...GPT2, mlpSaved: 1 },
  gpt_oss: { ...LLAMA, isAlwaysEager: true },
  bert: { norm: 'layer', normInputs: 2, norms: 2, mlpSaved: 1, isGated: false, eager: 13 },
} as const satisfies Readonly<Record<string, BlockTraits>>;
export type BlockName = keyof typeof BLOCKS;

const isBlockName = (name: string): name is BlockName => Object.hasOwn(BLOCKS, name);

/** Of an architecture that the table lacks: what most have. */
export const blockTraits = (modelType: string): BlockTraits =>
  isBlockName(modelType) ? BLOCKS[modelType] : LLAMA;

/**
 * Versions with which the tables were counted. What others keep may differ, as a kernel or a loss may; patches change nothing.
 */
export const COUNTED_WITH = { torch: '2.15', transformers: '5.24', peft: '0.21' } as const;

/** Architectures for which they were. */
const COUNTED: readonly string[] = [
  ...['llama', 'mistral', 'qwen2', 'qwen3', 'mixtral'],
  ...['phi', 'phi3', 'gpt2', 'gpt_neox', 'mistral3'],
];

/** Why figures are estimated and not counted; `undefined` if nothing is against it. */
export function uncounted(
  modelType: string,
  versions: Readonly<Record<string, string | null>>,
): 'architecture' | 'versions' | undefined {
  if (!COUNTED.includes(modelType)) return 'architecture';
  const isOther = ([name, counted]: [string, string]): boolean => {
    const version = versions[name];
    return version !== undefined && version !== null && !version.startsWith(`${counted}.`);
  };
  return Object.entries(COUNTED_WITH).some(isOther) ? 'versions' : undefined;
}
