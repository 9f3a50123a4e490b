/**
 * What autograd saves of a block for the backward pass, bytes per token. Counted with `saved_tensors_hooks` on tiny models (torch
 * 2.15, transformers 5.24, peft 0.21.2); dropout's masks take a byte per number on a GPU.
 */
import { COUNTED_RANK, countedSaved } from './counted.js';
import type { TorchLinear } from './shape.js';
import { type AdapterTraining, DTYPE_BYTES, isQuantised, type TorchTraining } from './training.js';

/**
 * Of one block whose activations are saved, per token. Where it was counted, the table says what a device, dropout, masks and ranks
 * change of that.
 */
export function savedPerToken(training: TorchTraining): number {
  const { counted, shape, length } = training;
  const known = byTable(training);
  return counted === undefined
    ? known
    : Math.max(0, known + countedSaved(counted.saved, shape, length) - byTable(asCounted(training)));
}

/** The training that {@link CountedBlock} is of. */
const asCounted = (training: TorchTraining): TorchTraining => ({
  ...training,
  device: 'cpu',
  isMasked: false,
  attention: training.attention === 'eager' ? 'eager' : 'sdpa',
  trained:
    training.trained.kind === 'full'
      ? training.trained
      : {
          ...training.trained,
          dropout: 0,
          extraPerToken: 0,
          prefix: 0,
          targets: training.trained.targets.map(({ reads, inputs }) => ({
            reads,
            inputs,
            rank: COUNTED_RANK,
          })),
        },
});

function byTable(training: TorchTraining): number {
  return (
    normsSaved(training) +
    mixingSaved(training) +
    mlpSaved(training) +
    inputsSaved(training) +
    (training.trained.kind === 'adapter' ? (training.trained.extraPerToken ?? 0) : 0)
  );
}

const widthOf = ({ compute }: TorchTraining): number => DTYPE_BYTES[compute];

const isFull = ({ trained }: TorchTraining): boolean => trained.kind === 'full';

/** A trained norm also saves what its weight is multiplied by. */
function normsSaved(training: TorchTraining): number {
  const { shape, stored, isAutocast, residual, device } = training;
  const { block, hidden, queries, keys, heads, keyValueHeads } = shape;
  const normed = isFull(training) ? (training.sharding.gatheredBytes ?? DTYPE_BYTES[stored.other]) : 0;
  const perHead = block.headNorms ? (4 + normed) * (queries + keys) + 4 * (heads + keyValueHeads) : 0;
  if (block.fusedNorms) {
    // of a block that is recomputed, the first norm's input is there
    const inputs = training.checkpointed > 0 ? block.normInputs - 1 : block.normInputs;
    return (
      inputs * DTYPE_BYTES[residual] * hidden + 4 * block.norms + block.norms * normed * hidden + perHead
    );
  }
  if (block.norm === 'rms')
    return block.normInputs * (4 * hidden + 4) + block.norms * normed * hidden + perHead;
  // on a GPU, autocast computes layer norms in float32
  const width = isAutocast && device !== 'cpu' ? 4 : DTYPE_BYTES[residual];
  return block.normInputs * width * hidden + block.norms * 8 + perHead;
}

/** What mixes tokens with one another, in the mean over blocks of both kinds. */
function mixingSaved(training: TorchTraining): number {
  const { state, latent } = training.shape;
  const { share, bytes } = state ?? { share: 0, bytes: 0 };
  return (1 - share) * attentionSaved(training) + share * bytes + 4 * (latent?.norms ?? 0);
}

function attentionSaved(training: TorchTraining): number {
  const { shape, attention, length, trained } = training;
  const prefix = trained.kind === 'adapter' ? (trained.prefix ?? 0) : 0;
  // no fused kernel is causal where there are more keys than queries
  const isMasked = training.isMasked || prefix > 0;
  const [all, perToken] = [length + prefix, (length + prefix) / length];
  const { block, queries, keys, heads } = shape;
  const width = widthOf(training);
  const whole = block.fusedQkv ? queries + 2 * keys : 0;
  if (attention === 'eager' || block.unfused !== undefined) {
    // probabilities in float32 and as they are used, and what is dropped of them
    const perScore = block.unfused ?? block.eager ?? (width === 2 ? 6 : 4);
    const inputs = width * queries * (1 + 2 * perToken);
    return perScore * heads * all + inputs + (isFull(training) ? width * queries : 0);
  }
  const { latent } = shape;
  if (latent !== undefined)
    return width * (queries + keys + latent.values + latent.output + (isMasked ? all : 0)) + 4 * heads;
  const repeated = isMasked || block.repeatsKeys;
  const kept = repeated ? 2 * queries * perToken : block.fusedQkv ? whole : keys;
  const turned = block.keysAreViews ? 0 : queries + (repeated ? 0 : keys);
  // the output, and a float32 per head: the logarithm of the sum of exponentials; a mask is added as numbers, in each block
  return width * (turned + kept + queries + (isMasked ? all : 0)) + 4 * heads;
}

const mlpSaved = (training: TorchTraining): number => {
  const { block, inner, activeExperts, experts } = training.shape;
  if (experts > 1) return expertsSaved(training);
  return block.mlpSaved * widthOf(training) * inner * activeExperts;
};

/**
 * Experts are products of groups of tokens, which autocast leaves as they are: what each gives is saved, to be weighted, and where
 * they are trained what they read.
 */
function expertsSaved(training: TorchTraining): number {
  const { block, inner, activeExperts, hidden, shared = 0 } = training.shape;
  const width = DTYPE_BYTES[training.residual];
  const read = isFull(training) ? activeExperts * (inner + hidden) : expertInputs(training);
  // next to them, an MLP like any other
  const besides = widthOf(training) * block.mlpSaved * shared;
  return width * (activeExperts * (block.mlpSaved * inner + hidden) + read) + besides;
}

const expertInputs = ({ trained }: TorchTraining): number =>
  trained.kind === 'adapter' ? (trained.experts?.inputs ?? 0) : 0;

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
  const known =
    training.attention === 'eager' ? isFull(training) : training.shape.block.copiesOutput !== true;
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
  const factors = targets.reduce(
    (sum, { rank, extra = 0, extraNumbers = 0 }) => sum + own * rank + extra + width * extraNumbers,
    0,
  );
  const perTarget = targets.reduce((sum, { inputs }) => sum + inputs, 0);
  if (dropout > 0) return factors + (own + maskBytes) * perTarget;
  return factors + (isCast ? own * perTarget : sharedInputs(training, targets));
}

/**
 * What a block's backward pass has at its fullest besides what is saved, bytes per token: gradients of the MLP's inner activations
 * and of its output. Where its second layer has something trained, its input is freed before the gradients of the others come.
 */
export function transientPerToken(training: TorchTraining): number {
  const { shape, trained } = training;
  const width = widthOf(training);
  const { block, hidden, activeExperts, experts, heads } = shape;
  // of experts that are computed one after another, one's share of the tokens
  const inner = block.linearExperts ? shape.inner / experts : shape.inner;
  const isTrained = trained.kind === 'full' || trained.targets.some(({ reads }) => reads === 'mlp inner');
  const isNothing = trained.kind === 'adapter' && trained.targets.length === 0;
  // float32 weights that are gathered in what is computed in are not cast
  const isCast = DTYPE_BYTES[trained.dtype] > width && training.sharding.gatheredBytes === undefined;
  const widths =
    isTrained && !isCast
      ? width * (2 * inner * activeExperts + hidden)
      : isNothing
        ? width * (2 * inner * activeExperts + 3 * hidden)
        : width * (3 * inner * activeExperts + 2 * hidden);
  // factors in float32 have their input, and its gradient, once more
  const casts = isTrained && isCast ? 4 * inner * activeExperts : 0;
  const perScore = 2 * width + softmaxBytes(training);
  // what the MLP saved is gone when attention is gone back through
  const scores = training.attention === 'eager' ? perScore * heads * training.length - mlpSaved(training) : 0;
  return Math.max(widths + casts, scores);
}

/**
 * What the backward pass of a softmax makes besides the gradients of its output and input: on a GPU, torch multiplies the former by
 * the output, in float32 (`softmax_backward_cuda_out`).
 */
const softmaxBytes = ({ device }: TorchTraining): number => (device === 'cpu' ? 0 : 4);
