/**
 * What autograd saves of a block for the backward pass, bytes per token. Counted with `saved_tensors_hooks` on tiny models (torch
 * 2.15, transformers 5.24, peft 0.21.2); dropout's masks take a byte per number on a GPU.
 */
import type { TorchLinear } from './shape.js';
import { type AdapterTraining, DTYPE_BYTES, isQuantised, type TorchTraining } from './training.js';

/** Of one block whose activations are saved, per token. */
export function savedPerToken(training: TorchTraining): number {
  return (
    normsSaved(training) +
    attentionSaved(training) +
    mlpSaved(training) +
    inputsSaved(training) +
    (training.trained.kind === 'adapter' ? (training.trained.extraPerToken ?? 0) : 0)
  );
}

const widthOf = ({ compute }: TorchTraining): number => DTYPE_BYTES[compute];

const isFull = ({ trained }: TorchTraining): boolean => trained.kind === 'full';

/** A trained norm also saves what its weight is multiplied by. */
function normsSaved(training: TorchTraining): number {
  const { shape, stored, isAutocast, residual } = training;
  const { block, hidden, queries, keys, heads, keyValueHeads } = shape;
  const normed = isFull(training) ? DTYPE_BYTES[stored.other] : 0;
  const perHead = block.headNorms ? (4 + normed) * (queries + keys) + 4 * (heads + keyValueHeads) : 0;
  if (block.norm === 'rms')
    return block.normInputs * (4 * hidden + 4) + block.norms * normed * hidden + perHead;
  // autocast computes layer norms in float32
  const width = isAutocast ? 4 : DTYPE_BYTES[residual];
  return block.normInputs * width * hidden + block.norms * 8 + perHead;
}

function attentionSaved(training: TorchTraining): number {
  const { shape, attention, isMasked, length } = training;
  const { block, queries, keys, heads } = shape;
  const width = widthOf(training);
  const whole = block.fusedQkv ? queries + 2 * keys : 0;
  if (attention === 'eager' || block.unfused !== undefined) {
    // probabilities in float32 and as they are used, and what is dropped of them
    const perScore = block.unfused ?? block.eager ?? (width === 2 ? 6 : 8);
    return perScore * heads * length + width * 3 * queries + (isFull(training) ? width * queries : 0);
  }
  const repeated = isMasked || block.repeatsKeys;
  const kept = repeated ? 2 * queries : block.fusedQkv ? whole : keys;
  const turned = block.keysAreViews ? 0 : queries + (repeated ? 0 : keys);
  // the output, and a float32 per head: the logarithm of the sum of exponentials
  return width * (turned + kept + queries) + 4 * heads;
}

const mlpSaved = (training: TorchTraining): number => {
  const { block, inner, activeExperts } = training.shape;
  return block.mlpSaved * widthOf(training) * inner * activeExperts;
};

/** Inputs of linear layers that something trained is multiplied by. */
function inputsSaved(training: TorchTraining): number {
  const { trained, shape, keepsQuantisedInputs, stored } = training;
  const width = widthOf(training);
  const quantised =
    keepsQuantisedInputs && isQuantised(stored.linear) ? sharedInputs(training, shape.linears) : 0;
  if (trained.kind === 'adapter') return quantised + adapterInputs(training, trained);
  const castEach = training.isAutocast && DTYPE_BYTES[training.residual] > width;
  if (!castEach) return sharedInputs(training, shape.linears);
  // what norms give is wider than products take it, and each layer casts it for itself
  const [wide, narrow] = [shape.linears.filter(readsNorm), shape.linears.filter((one) => !readsNorm(one))];
  return width * wide.reduce((sum, { inputs }) => sum + inputs, 0) + sharedInputs(training, narrow);
}

const readsNorm = ({ reads }: Pick<TorchLinear, 'reads'>): boolean => reads.endsWith('input');

/** Each tensor once. The attention's output is there already, as its kernel saves it. */
function sharedInputs(
  training: TorchTraining,
  layers: readonly Pick<TorchLinear, 'reads' | 'inputs'>[],
): number {
  const distinct = new Map(layers.map(({ reads, inputs }) => [reads, inputs]));
  const known = training.attention !== 'eager' || isFull(training);
  if (known) distinct.delete('attention output');
  const experts = (reads: string): number => (reads === 'mlp inner' ? training.shape.activeExperts : 1);
  return widthOf(training) * [...distinct].reduce((sum, [reads, inputs]) => sum + inputs * experts(reads), 0);
}

function adapterInputs(training: TorchTraining, adapter: AdapterTraining): number {
  const { targets, dropout, maskBytes = 1, dtype } = adapter;
  const width = widthOf(training);
  const isCast = DTYPE_BYTES[dtype] !== width;
  // float32 factors over narrower activations: autocast casts the input for each, and without it each reads its own float32
  const own = isCast && !training.isAutocast ? DTYPE_BYTES[dtype] : width;
  const factors = targets.reduce((sum, { rank, extra = 0 }) => sum + own * rank + extra, 0);
  const perTarget = targets.reduce((sum, { inputs }) => sum + inputs, 0);
  if (dropout > 0) return factors + (own + maskBytes) * perTarget;
  return factors + (isCast ? own * perTarget : sharedInputs(training, targets));
}

/** Gradients of a block's inner activations that exist at a time in its backward pass, bytes per token. */
export function transientPerToken(training: TorchTraining): number {
  const { shape, trained } = training;
  const width = widthOf(training);
  const { inner, hidden, activeExperts, heads } = shape;
  const narrow = trained.kind === 'adapter' && DTYPE_BYTES[trained.dtype] > width;
  const isDownAdapted = narrow && trained.targets.some(({ reads }) => reads === 'mlp inner');
  const scores = training.attention === 'eager' ? 2 * width * heads * training.length : 0;
  return Math.max(
    (width / 2) * (6 * inner * activeExperts + 4 * hidden) + (isDownAdapted ? 4 * inner : 0),
    scores,
  );
}
