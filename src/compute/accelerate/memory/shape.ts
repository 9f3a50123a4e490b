/**
 * What of a model's architecture memory depends on. Numbers follow from `config.json`; how a block computes, and so what autograd
 * saves of it, from a table of architectures.
 */

/** How a block of transformers computes. */
export interface BlockTraits {
  /** RMS norms compute in float32 and save that copy; layer norms save their input. */
  readonly norm: 'rms' | 'layer';
  /** Norms whose inputs differ, and all norms over the whole width. */
  readonly normInputs: number;
  readonly norms: number;
  /** RMS norms are one kernel each, which saves its input as it is. */
  readonly fusedNorms?: boolean;
  /** Norms over each query and key head. */
  readonly headNorms?: boolean;
  /** Queries, keys and values are views of one matrix' result; `heads`: they lie next to one another head by head. */
  readonly fusedQkv?: boolean;
  /** Numbers per unit of the MLP's width that are saved before its second layer. */
  readonly mlpSaved: number;
  readonly isGated: boolean;
  /** Experts are linear layers, computed one after another, as in transformers before 5. */
  readonly linearExperts?: boolean;
  /** Keys and values are repeated for all heads whatever the kernel. */
  readonly repeatsKeys?: boolean;
  /** The turned parts of heads are put together: the kernel's output is laid out head by head, and copied for what reads it. */
  readonly copiesOutput?: boolean;
  /** Keys lie in the fused matrix' result like values: nothing turns them. */
  readonly keysAreViews?: boolean;
  /** Bytes per token, head and position that eager attention saves; default: from the dtype. */
  readonly eager?: number;
  /** Transformers has its attention written out alone, whatever kernel is asked for. */
  readonly isAlwaysEager?: true;
  /** Logits go through a function that saves them once more. */
  readonly capsLogits?: true;
  /** The same of torch's plain kernel, where no fused one takes what the code gives it. */
  readonly unfused?: number;
}

/** One linear layer of a block. */
export interface TorchLinear {
  /** The last part of its path. */
  readonly name: string;
  /** Layers that read the same tensor have the same. */
  readonly reads: string;
  readonly inputs: number;
  readonly outputs: number;
}

/** Attention whose keys and values come from one narrow vector. */
interface LatentAttention {
  /** Widths of the vectors that are normed on the way to queries, keys and values, together. */
  readonly norms: number;
  /** Of keys, without what turns, and values, which lie in one tensor. */
  readonly values: number;
  /** What the output's layer reads. */
  readonly output: number;
}

interface StateBlocks {
  /** Of all blocks. */
  readonly share: number;
  /** What autograd saves of one in the place of its attention, per token. */
  readonly bytes: number;
}

export interface TorchShape {
  readonly name: string;
  readonly block: BlockTraits;
  readonly layers: number;
  readonly hidden: number;
  /** Width of all query heads, and of all key heads. */
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Width of the MLP; of experts, of one, and how many a token passes through. */
  readonly inner: number;
  readonly activeExperts: number;
  readonly experts: number;
  /** Width of what every token passes through next to its experts. */
  readonly shared?: number;
  /** Blocks that carry a state from token to token in the place of keys and values. */
  readonly state?: StateBlocks;
  readonly latent?: LatentAttention;
  readonly vocabulary: number;
  readonly isTied: boolean;
  /** Numbers of all blocks' linear layers, of the embeddings, of the head's matrix, and of all else. */
  readonly linear: number;
  readonly embedding: number;
  readonly head: number;
  readonly other: number;
  /** Of `other`, those in blocks, and those of parts that see or hear, which stay frozen whatever is trained. */
  readonly otherInBlocks: number;
  readonly otherOfSenses?: number;
  /** Of the largest matrix of a linear layer. */
  readonly largest: number;
  readonly linears: readonly TorchLinear[];
}

export const parametersOf = ({ linear, embedding, head, other }: TorchShape): number =>
  linear + embedding + head + other;

/** Numbers of one block. */
export const blockParameters = ({ linear, otherInBlocks, layers }: TorchShape): number =>
  (linear + otherInBlocks) / layers;
