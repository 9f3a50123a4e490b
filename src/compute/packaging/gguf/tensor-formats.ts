/** Which tensor of a file is stored as what, as llama.cpp's tool decides it (`llama-quant.cpp`) without an importance matrix. */

import { expectedTensors } from '../../models/architectures/index.js';
import { ggufLayout } from '../../models/gguf/layout.js';
import type { ModelConfig } from '../../models/types.js';
import { BLOCKS, type BlockFormat } from '../../models/weights/formats.js';
import type { FormatOf } from '../../models/weights/load.js';
import { GGUF_TYPES, type GgufType } from './types.js';

interface GgufTensorShape {
  /** In the file: `blk.0.attn_v.weight`. */
  readonly name: string;
  /** `[rows, columns]`, or one size. */
  readonly shape: readonly number[];
}

type MixedConfig = Pick<ModelConfig, 'architecture' | 'layers' | 'heads' | 'keyValueHeads' | 'tieEmbeddings'>;

/** The format of each tensor in a file of a type. */
export function tensorFormat(
  type: GgufType,
  { name, shape }: GgufTensorShape,
  config: MixedConfig,
): BlockFormat {
  const { format } = GGUF_TYPES[type];
  if (shape.length < 2 || !name.endsWith('.weight') || KEPT.test(name)) return 'F32';
  const columns = shape.at(-1) ?? 0;
  if (BLOCKS[format].values === 1) return format;
  return fitting(mixed(type, name, columns, config), columns);
}

/** The format of each tensor of a model, by its Hugging Face name. */
export function ggufFormats(type: GgufType, config: ModelConfig): FormatOf {
  const shapes = new Map(expectedTensors(config).map(({ name, shape }) => [name, shape]));
  const formats = new Map(
    ggufLayout(config, false).map(({ name, ggufName, arrangement }) => {
      const own = shapes.get(name) ?? [];
      const shape = arrangement.kind === 'transposed' ? [...own].reverse() : own;
      return [name, tensorFormat(type, { name: ggufName, shape }, config)];
    }),
  );
  return (name) => formats.get(name) ?? 'F32';
}

/** Norms, and learned positions, which are added to what is embedded. */
const KEPT = /_norm\.weight$|^position_embd\.weight$/;

/** What takes the place of a format whose blocks are too long for the rows. */
const SHORTER: Readonly<Partial<Record<BlockFormat, BlockFormat>>> = {
  Q4_K: 'Q5_0',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
};

function fitting(format: BlockFormat, columns: number): BlockFormat {
  const fits = (other: BlockFormat): boolean => columns % BLOCKS[other].values === 0;
  if (fits(format)) return format;
  const shorter = SHORTER[format] ?? format;
  return fits(shorter) ? shorter : 'F16';
}

/** Layers that get more bits: the first and last eighth, and every third between them (`use_more_bits`). */
const getsMoreBits = (layer: number, layers: number): boolean => {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
};

/** What the types ask for a part of a block: by `[part]`, from its layer. */
type Rule = (layer: number, config: MixedConfig) => BlockFormat | undefined;

const more =
  (format: BlockFormat): Rule =>
  (layer, { layers }) =>
    getsMoreBits(layer, layers) ? format : undefined;

/** Values, and keys and queries where they share a matrix. */
const VALUES = ['attn_v', 'attn_qkv'];
const of = (values: Rule, down: Rule): Readonly<Record<string, Rule>> => ({
  ...Object.fromEntries(VALUES.map((part) => [part, values])),
  ffn_down: down,
});

const MIXES: Readonly<Partial<Record<GgufType, Readonly<Record<string, Rule>>>>> = {
  q4_k_m: of(more('Q6_K'), more('Q6_K')),
  q4_k_s: of(
    (layer) => (layer < 4 ? 'Q5_K' : undefined),
    (layer, { layers }) => (layer < Math.floor(layers / 8) ? 'Q5_K' : undefined),
  ),
  q5_k_m: of(more('Q6_K'), more('Q6_K')),
};

function mixed(type: GgufType, name: string, columns: number, config: MixedConfig): BlockFormat {
  const { format } = GGUF_TYPES[type];
  const isHead = name === 'output.weight' || (config.tieEmbeddings && name === 'token_embd.weight');
  if (isHead) return columns % BLOCKS[format].values !== 0 || type === 'q8_0' ? 'Q8_0' : 'Q6_K';
  const [, layer, part = ''] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
  const found = MIXES[type]?.[part]?.(Number(layer), config) ?? format;
  // eight heads share their values in such a model: these are small, and their error is everyone's
  return VALUES.includes(part) && isLarge(config) && found === 'Q4_K' ? 'Q5_K' : found;
}

/** Llama and Qwen 2 of 70 billion parameters. */
const isLarge = ({ architecture, layers, heads, keyValueHeads }: MixedConfig): boolean =>
  layers === 80 &&
  (architecture === 'qwen2' ||
    ((architecture === 'llama' || architecture === 'mistral') && heads !== keyValueHeads));
