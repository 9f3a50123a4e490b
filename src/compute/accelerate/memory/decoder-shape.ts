/** Shapes of decoders from the fields of their `config.json`. */
import { BLOCKS, type BlockName } from './blocks.js';
import type { BlockTraits, TorchLinear, TorchShape } from './shape.js';

export interface DecoderFields {
  readonly name: string;
  readonly type: BlockName;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly keyValueHeads?: number;
  readonly headDim?: number;
  readonly inner: number;
  readonly vocabulary: number;
  readonly isTied?: boolean;
  /** Learned positions. */
  readonly positions?: number;
  readonly experts?: number;
  readonly activeExperts?: number;
  /** Numbers of biases and of other vectors of a block, where they matter. */
  readonly biases?: boolean;
}

/** `block`: how it computes, where it is not as in transformers. */
export function decoderShape(fields: DecoderFields, block: BlockTraits = BLOCKS[fields.type]): TorchShape {
  const { hidden, heads, inner, vocabulary, layers, positions = 0, experts = 1 } = fields;
  const { keyValueHeads = heads, headDim = hidden / heads, activeExperts = experts, isTied = false } = fields;
  const [queries, keys] = [heads * headDim, keyValueHeads * headDim];
  const all = linearsOf(block, { hidden, queries, keys, inner });
  const inExperts = ({ reads }: TorchLinear): boolean => experts > 1 && reads.startsWith('mlp');
  // transformers keeps experts in one tensor, which is no linear layer
  const linears = block.linearExperts ? all : all.filter((one) => !inExperts(one));
  const times = (one: TorchLinear): number => (inExperts(one) ? experts : 1);
  const sizeOf = (one: TorchLinear): number => times(one) * one.inputs * one.outputs;
  const otherSizes = all.filter((one) => !linears.includes(one)).map(sizeOf);
  const vectors = block.norms * hidden * (block.norm === 'rms' ? 1 : 2);
  const bias = fields.biases ? all.reduce((sum, { outputs }) => sum + outputs, 0) : 0;
  const router = experts > 1 ? experts * hidden : 0;
  const otherInBlocks = layers * (vectors + bias + router + sum(otherSizes));
  return {
    name: fields.name,
    block,
    ...{
      layers,
      hidden,
      queries,
      keys,
      heads,
      keyValueHeads,
      inner,
      activeExperts,
      experts,
      vocabulary,
      isTied,
    },
    linear: layers * sum(linears.map(sizeOf)),
    embedding: hidden * (vocabulary + positions),
    head: isTied ? 0 : hidden * vocabulary,
    other: otherInBlocks + hidden * (block.norm === 'rms' ? 1 : 2),
    otherInBlocks,
    largest: Math.max(...linears.map(({ inputs, outputs }) => inputs * outputs)),
    linears,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

interface Widths {
  readonly hidden: number;
  readonly queries: number;
  readonly keys: number;
  readonly inner: number;
}

function linearsOf(block: BlockTraits, { hidden, queries, keys, inner }: Widths): readonly TorchLinear[] {
  // in a parallel block with one norm, the MLP reads what the attention reads
  const mlpReads = block.norms === 1 ? 'attention input' : 'mlp input';
  const from = (reads: string, inputs: number, names: Readonly<Record<string, number>>) =>
    Object.entries(names).map(([name, outputs]) => ({ name, reads, inputs, outputs }));
  return [
    ...from(
      'attention input',
      hidden,
      block.fusedQkv ? { qkv: queries + 2 * keys } : { q: queries, k: keys, v: keys },
    ),
    ...from('attention output', queries, { o: hidden }),
    ...from(mlpReads, hidden, block.isGated ? { gate: inner, up: inner } : { up: inner }),
    ...from('mlp inner', inner, { down: hidden }),
  ];
}
