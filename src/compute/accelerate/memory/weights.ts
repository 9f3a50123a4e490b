/** What weights, trained numbers and their optimiser take on one device, bytes. */
import { blockParameters, parametersOf } from './shape.js';
import { DTYPE_BYTES, isQuantised, STORED_BYTES, type Stored, type TorchTraining } from './training.js';

export interface StaticBytes {
  /** Weights of the base that stay, and those that are gathered while the head, or a block, is computed. */
  readonly weights: number;
  readonly gatheredBlock: number;
  readonly gatheredAtHead: number;
  /** The whole base, unsharded. */
  readonly whole: number;
  readonly adapter: number;
  /** Of all trained numbers that are on this device. */
  readonly gradients: number;
  /** Of the head among them, which come first, and of the first block and the embedding, which come last. */
  readonly headGradients: number;
  readonly lastGradients: number;
  readonly optimizer: number;
  readonly temporary: number;
}

export const trainedNumbers = ({ trained, shape }: TorchTraining): number =>
  trained.kind === 'full' ? parametersOf(shape) - (shape.otherOfSenses ?? 0) : trained.parameters;

/** Trained numbers, those in another type by how much wider they are. */
function weightedNumbers(training: TorchTraining): number {
  const { trained } = training;
  const numbers = trainedNumbers(training);
  if (trained.kind === 'full' || trained.copies === undefined) return numbers;
  const { parameters, dtype } = trained.copies;
  return numbers + parameters * (DTYPE_BYTES[dtype] / DTYPE_BYTES[trained.dtype] - 1);
}

export function staticBytes(training: TorchTraining): StaticBytes {
  const { shape, stored, trained, sharding, optimizer } = training;
  const full = trained.kind === 'full';
  const linear = shape.linear * STORED_BYTES[stored.linear];
  const embedding = shape.embedding * DTYPE_BYTES[stored.embedding];
  const headNumbers = stored.isHeadCopied && shape.isTied ? shape.hidden * shape.vocabulary : shape.head;
  const root = embedding + headNumbers * STORED_BYTES[stored.head];
  const other = shape.other * DTYPE_BYTES[stored.other];
  const whole = linear + root + other;
  const constants = sharding.hasWholeConstants ? linear - shape.linear * codeBytes(stored.linear) : 0;
  const cuts = sharding.kind === 'fsdp' || sharding.kind === 'zero3';
  const shards = cuts ? sharding.world : 1;
  const isGathered = cuts && (sharding.world > 1 || sharding.isOffloaded === true);
  const frozenShards = !full && sharding.isFrozenWhole ? 1 : shards;
  const ownShards = full || !sharding.isTrainedWhole ? shards : 1;
  const stateShards = sharding.kind === 'zero2' ? sharding.world : ownShards;
  const numbers = weightedNumbers(training);
  const isAway = sharding.isOffloaded === true;
  const width = DTYPE_BYTES[trained.dtype];
  const headMatrix = shape.hidden * shape.vocabulary;
  const perNumber = sharding.gatheredBytes;
  const perBlock =
    perNumber === undefined
      ? (linear + shape.otherInBlocks * DTYPE_BYTES[stored.other]) / shape.layers
      : perNumber * blockParameters(shape);
  const gatheredRoot = perNumber === undefined ? root : perNumber * (shape.embedding + shape.head);
  const live = (perNumber ?? 2) * Math.min(sharding.gatheredNumbers ?? 0, parametersOf(shape));
  // gradients of a gathered block, and of the head, are whole until they are added up over the ranks
  const uncut = isGathered ? width * (blockParameters(shape) + headMatrix * (1 - 1 / stateShards)) : 0;
  return {
    whole,
    weights: (isAway && frozenShards === shards ? 0 : (whole - constants) / frozenShards) + constants,
    gatheredBlock: isGathered
      ? Math.max(live, (sharding.gatheredBlocks ?? 1) * perBlock + (sharding.keepsRoot ? gatheredRoot : 0))
      : 0,
    gatheredAtHead: isGathered ? Math.max(live, gatheredRoot + (sharding.keepsRoot ? perBlock : 0)) : 0,
    adapter: full ? 0 : (numbers * DTYPE_BYTES[trained.dtype]) / ownShards,
    gradients: isAway && full ? 0 : (numbers * DTYPE_BYTES[trained.dtype]) / stateShards,
    headGradients: full ? (headMatrix * width) / (isGathered ? 1 : stateShards) : 0,
    lastGradients: full ? ((blockParameters(shape) + shape.embedding) * width) / stateShards - uncut : 0,
    optimizer:
      isAway && (full || !sharding.isTrainedWhole)
        ? 0
        : (numbers * (optimizer.state + (optimizer.master ?? 0))) / stateShards,
    temporary: Math.min(optimizer.mostTemporary ?? Infinity, (numbers * optimizer.temporary) / stateShards),
  };
}

/** Of a number, without the constants that it is dequantised with. */
const codeBytes = (stored: Stored): number =>
  isQuantised(stored) ? Math.floor(2 * STORED_BYTES[stored]) / 2 : STORED_BYTES[stored];

/** Copies of float32 matrices that autocast makes for the backward pass, of so many blocks. */
export const castCopies = ({ shape, stored, isAutocast, compute }: TorchTraining, blocks: number): number =>
  isAutocast && stored.linear === 'float32' && compute !== 'float32'
    ? (DTYPE_BYTES[compute] * shape.linear * blocks) / shape.layers
    : 0;

/** The head's float32 matrix as autocast computes with it. */
export const castHead = ({ shape, stored, isAutocast, compute }: TorchTraining): number =>
  isAutocast && stored.head === 'float32' ? DTYPE_BYTES[compute] * shape.hidden * shape.vocabulary : 0;

/** The matrix that a quantised layer computes with, while it does: of the largest in a block, and of the head. */
export const dequantisedBytes = ({ shape, stored, compute, dequantised }: TorchTraining): Dequantised => {
  const width = dequantised ?? DTYPE_BYTES[compute];
  return {
    block: isQuantised(stored.linear) ? width * shape.largest : 0,
    head: isQuantised(stored.head) ? width * shape.hidden * shape.vocabulary : 0,
  };
};

interface Dequantised {
  readonly block: number;
  readonly head: number;
}
