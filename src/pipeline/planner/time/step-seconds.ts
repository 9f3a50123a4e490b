/** Seconds of a micro batch and of an optimiser step on a device, from what is multiplied, moved and sent. */
import type { DecoderWork } from './decoder-work.js';
import type { DeviceSpeed } from './device.js';
import { HALF_RATE_ROWS, KERNELS, LAUNCH, ofProducts, UTILISATION } from './utilisation.js';

/** How a decoder is passed through. */
interface PassOptions {
  /** Rows, and tokens of each with padding. */
  readonly rows: number;
  readonly length: number;
  /** Tokens whose logits are computed, as a share. */
  readonly supervised: number;
  /** Bytes of a weight, and of an activation. */
  readonly weightBytes: number;
  readonly width: number;
  /** Weights in 4 bits are written out for each product. */
  readonly isQuantised: boolean;
}

export interface TrainingPass extends PassOptions {
  readonly isFull: boolean;
  /** Numbers of an adapter, and how many of a block's layers have one. */
  readonly trained: number;
  readonly targets: number;
  /** Share of the blocks that are recomputed. */
  readonly recomputed: number;
}

/** Bytes of NF4 weights that are read, and written in the format of products. */
const dequantised = ({ quantised }: DecoderWork, width: number): number => quantised * (0.52 + width);

/** One pass forward through all blocks; `sides`: how often as much is computed, 1 forward. */
function blockSeconds(
  work: DecoderWork,
  pass: PassOptions & { readonly targets: number },
  sides: { readonly products: number; readonly attention: number; readonly moved: number },
  { rate, memory }: DeviceSpeed,
): number {
  const { rows, length, width } = pass;
  const tokens = rows * length;
  const reached = (rate * ofProducts(rate) * tokens) / (tokens + HALF_RATE_ROWS);
  const products = (2 * tokens * work.linear) / reached;
  const read = (work.weights * pass.weightBytes) / memory;
  // causal: half of the scores
  const attention =
    (2 * tokens * length * work.queries * work.layers) /
    (rate * UTILISATION.attention * (ofProducts(rate) / UTILISATION.products));
  const ofTargets = pass.targets === 0 ? 0 : 3 * work.through;
  const moved = (tokens * work.layers * (work.moved + ofTargets) * width) / memory;
  const decoded = pass.isQuantised ? dequantised(work, width) / memory : 0;
  const computed =
    sides.products * Math.max(products, read) + sides.attention * attention + sides.moved * moved;
  const passes = Math.min(sides.moved, 1 + (sides.moved > 1 ? 1 : 0));
  const launches = sides.moved * work.layers * (KERNELS.block + pass.targets * KERNELS.target) * LAUNCH;
  return Math.max(computed + passes * decoded, launches);
}

/** Forward alone, with the logits of `supervised` tokens. */
export const forwardSeconds = (work: DecoderWork, pass: PassOptions, device: DeviceSpeed): number =>
  blockSeconds(work, { ...pass, targets: 0 }, { products: 1, attention: 1, moved: 1 }, device) +
  headSeconds(work, pass, 1, device);

/** A token after another, of so many rows at a time: every weight is read for each. */
export function tokenSeconds(
  work: DecoderWork,
  { rows, length, weightBytes, width }: PassOptions,
  { rate, memory }: DeviceSpeed,
  keyValueBytes: number,
): number {
  const read = (work.weights * weightBytes + rows * length * keyValueBytes) / memory;
  const products = (2 * rows * (work.linear + work.head)) / (rate * ofProducts(rate));
  const moved = (rows * work.outputs * 4 * width) / memory;
  return Math.max(read, products, work.layers * KERNELS.block * LAUNCH) + moved;
}

/** Forward and backward of a micro batch. Attention's backward pass computes its scores again. */
export function trainingSeconds(work: DecoderWork, pass: TrainingPass, device: DeviceSpeed): number {
  const { isFull, trained, recomputed, rows, length } = pass;
  const again = 1 + recomputed;
  // a frozen weight needs no gradient
  const products = again + (isFull ? 2 : 1);
  const blocks = blockSeconds(work, pass, { products, attention: again + 2.5, moved: again + 2 }, device);
  const ofAdapter = isFull
    ? 0
    : (2 * (again + 2) * trained * rows * length) / (device.rate * ofProducts(device.rate));
  return blocks + ofAdapter + headSeconds(work, pass, isFull ? 4 : 2, device);
}

/** Bytes per logit of the loss: the product's, float32, logarithms, and their gradients. */
const LOGIT_BYTES = 30;

function headSeconds(work: DecoderWork, pass: PassOptions, products: number, device: DeviceSpeed): number {
  const tokens = pass.rows * pass.length * pass.supervised;
  return (
    (2 * products * tokens * work.head) / (device.rate * ofProducts(device.rate)) +
    (tokens * work.outputs * LOGIT_BYTES * (products > 1 ? 1 : 0.4)) / device.memory
  );
}

interface UpdateOptions {
  readonly trained: number;
  /** Bytes of the optimiser's state of all trained numbers. */
  readonly state: number;
  /** Ranks that share the trained numbers. */
  readonly shards: number;
}

/** Bytes that an update moves per trained number, besides reading and writing the state: weights, gradients, norms, copies. */
const UPDATE_BYTES = 44;

export const updateSeconds = ({ trained, state, shards }: UpdateOptions, { memory }: DeviceSpeed): number =>
  (trained * UPDATE_BYTES + 2 * state) / shards / memory;

interface Traffic {
  /** Bytes that each rank gathers and scatters per micro batch, and sums per step. */
  readonly perMicroBatch: number;
  readonly perStep: number;
  readonly devices: number;
  readonly nodes: number;
}

/** Seconds of one ring over all ranks: (n − 1) ÷ n of the bytes, over the slowest link. */
export function ringSeconds(
  bytes: number,
  { devices, nodes }: Pick<Traffic, 'devices' | 'nodes'>,
  { link, network }: DeviceSpeed,
): number {
  const world = devices * nodes;
  if (world === 1) return 0;
  return (bytes * (world - 1)) / world / (nodes > 1 ? Math.min(link, network) : link);
}

/** Weights are gathered while others are used: what is longer decides, and a tenth of the rest is not hidden. */
export const overlapped = (computed: number, sent: number): number =>
  Math.max(computed, sent) + 0.1 * Math.min(computed, sent);
