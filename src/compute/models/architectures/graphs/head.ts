import { GraphBuilder } from '../../../tensor/builder.js';
import type { Graph, ValueId } from '../../../tensor/types.js';
import type { Branch } from '../../adapters/definition.js';
import type { Blueprint } from '../blueprint.js';
import { weightName } from '../index.js';
import { capped, normalise } from './elementwise.js';
import { addGradients, type BlockInputs, blockInputs } from './inputs.js';
import { type LayerContext, linear } from './linear.js';

interface CrossEntropy {
  /** `[n]`, in nats. */
  readonly loss: ValueId;
  /**
   * Gradient of the logits, softmax∘seed − seed at the label, for an upstream gradient `[n]` of the losses; smoothed by ε,
   * (softmax − ε ÷ classes)∘seed − (1 − ε)·seed at the label.
   * Where the seed is 0 the row is exactly 0: a row without a label needs no division and gives no NaN.
   */
  readonly gradient: (seed: ValueId) => ValueId;
}

/**
 * logits `[n, classes]`, labels i32 `[n]`. `smoothing`: the share ε of the loss that is the mean over all classes
 * (Szegedy et al. 2016, arXiv 1512.00567; `LabelSmoother` of transformers):
 * −(1 − ε)·log p(label) − ε ÷ classes · Σ log p.
 */
export function crossEntropy(b: GraphBuilder, logits: ValueId, labels: ValueId, smoothing = 0): CrossEntropy {
  const rows = b.shapeOf(labels);
  const column = [...rows, 1];
  const indices = b.reshape(labels, column);
  const logProbabilities = b.logSoftmax(logits);
  const ofLabels = b.neg(b.reshape(b.gatherElements(logProbabilities, indices, 1), rows));
  const share = smoothing / (b.shapeOf(logits)[1] ?? 1);
  const isSmoothed = smoothing > 0;
  return {
    loss: isSmoothed
      ? b.sub(b.mul(ofLabels, b.scalar(1 - smoothing)), b.mul(b.sum(logProbabilities, [1]), b.scalar(share)))
      : ofLabels,
    gradient(seed) {
      const upstream = b.reshape(seed, column);
      const probabilities = b.exp(logProbabilities);
      const spread = b.mul(isSmoothed ? b.sub(probabilities, b.scalar(share)) : probabilities, upstream);
      const back = isSmoothed ? b.mul(upstream, b.scalar(1 - smoothing)) : upstream;
      return b.scatterElements(spread, indices, b.neg(back), 1);
    },
  };
}

/** The same of a head of one label: its score takes the place of the loss. */
function score(b: GraphBuilder, logits: ValueId, labels: ValueId): CrossEntropy {
  const rows = b.shapeOf(labels);
  return { loss: b.reshape(logits, rows), gradient: (seed) => b.reshape(seed, [...rows, 1]) };
}

/** Name of the output matrix among the head's inputs; its norm's tensors have their own names. */
export const OUTPUT = 'output';

/** Path of the head over the vocabulary in transformers, whatever its tensor is called. */
export const HEAD = 'lm_head';

/** Factors next to the output matrix; `dropout`: of what they read, masked by the input `dropout.lm_head`. */
export interface HeadFactors {
  readonly branch: Branch;
  readonly dropout: number;
}

interface HeadOptions {
  readonly smoothing?: number;
  /** What is trained under an adapter, by the names of its inputs. */
  readonly trained?: readonly string[];
  readonly factors?: HeadFactors | undefined;
}

/**
 * Loss and its backward. Inputs: `x` `[tokens, hidden]`, the final norm's tensors by their full names, `output`,
 * `labels` i32 `[tokens]`, `seed` `[tokens]` (upstream gradient of each loss), `total.NAME` for each trained tensor.
 * Outputs: `loss` `[tokens]`, `logits` `[tokens, vocab]`, `dx`, `grad.NAME`. `trainable`: nothing of its own under an
 * adapter, the output matrix, or the norm as well; `trained`: what else is under an adapter, biases of the norm and factors.
 * `smoothing`: see {@link crossEntropy}.
 */
export function headGraph(
  blueprint: Blueprint,
  tokens: number,
  trainable: 'adapter' | 'output' | 'full' | 'none',
  { smoothing = 0, trained: others = [], factors }: HeadOptions = {},
): Graph {
  const [vocab = 0] = blueprint.head.output.shape;
  const b = new GraphBuilder('head');
  const { x, logits, declared } = logitsOf(b, blueprint, { tokens, vocabulary: vocab, factors });
  const labels = b.input('labels', [tokens], 'i32');
  const { loss, gradient } = (vocab === 1 ? score : crossEntropy)(b, logits, labels, smoothing);
  b.output('logits', logits);
  b.output('loss', loss);
  if (trainable === 'none') return b.build();

  const seed = b.input('seed', [tokens]);
  const trained = [...declared].filter(
    ([name]) => trainable === 'full' || (trainable === 'output' && name === OUTPUT) || others.includes(name),
  );
  addGradients(b, { value: logits, gradient: gradient(seed) }, trained, x);
  return b.build();
}

/** Logits over so many tokens of the vocabulary. */
function logitsOf(
  b: GraphBuilder,
  { head }: Blueprint,
  {
    tokens,
    ...of
  }: { readonly tokens: number; readonly vocabulary: number; readonly factors?: HeadFactors | undefined },
) {
  const [, hidden = 0] = head.output.shape;
  const { weight, declared } = blockInputs(b);
  const x = b.input('x', [tokens, hidden]);
  return { x, logits: headLogits(b, weight, head, { x, ...of }), declared };
}

/** Logits `[tokens, vocabulary]` of hidden states x. */
export function headLogits(
  b: GraphBuilder,
  weight: BlockInputs['weight'],
  { norm, output, cap }: Blueprint['head'],
  {
    x,
    vocabulary,
    factors,
  }: { readonly x: ValueId; readonly vocabulary: number; readonly factors?: HeadFactors | undefined },
): ValueId {
  const [, hidden = 0] = output.shape;
  const normed = normalise({ builder: b, weight }, norm, x);
  const layer: LayerContext = {
    ...{ builder: b, bottlenecks: {}, dropout: factors?.dropout ?? 0 },
    branches: factors === undefined ? {} : { [HEAD]: factors.branch },
    // a sum of the whole matrix would be as large as that
    staysApart: true,
    weight: (name: string, shape: readonly number[]) =>
      weight(name === weightName({ module: HEAD }) ? OUTPUT : name, shape),
  };
  const projection = {
    target: HEAD,
    module: HEAD,
    inputs: hidden,
    outputs: vocabulary,
    bias: false,
    transposed: false,
  };
  return capped(b, linear(layer, projection, normed), cap);
}

interface ShardOptions extends Pick<HeadOptions, 'smoothing' | 'factors'> {
  readonly tokens: number;
  readonly shardSize: number;
}

/**
 * The same for a shard of the vocabulary, of a head that is not trained. The loss is the logarithm of Σ exp over all
 * logits, less the logit of the label; the gradient of a logit is seed · exp(logit − that logarithm), less seed at the
 * label (cut cross entropy, arXiv 2411.09009). Inputs: `x` and the norm's tensors as above, `output` `[shardSize, hidden]`,
 * `labels` i32 `[tokens]` counted from the shard's first token (any where the label is in another shard), `seed` `[tokens]`,
 * `here` `[tokens]`: the seed where the label is in the shard, else 0, and `total` `[tokens]`: the logarithm.
 * Outputs: `logits` `[tokens, shardSize]`; `label` `[tokens]`: the logit of the label; `most` and `sum` `[tokens]`: the largest
 * logit, and Σ exp(logit − most); `all` `[tokens]`: the sum of the logits; `dx`: the gradient by way of the shard's logits.
 * Smoothed by ε, the loss is that logarithm, less (1 − ε) of the label's logit and ε of the mean of all.
 */
export function vocabularyShardGraph(
  blueprint: Blueprint,
  { tokens, shardSize, smoothing = 0, factors }: ShardOptions,
): Graph {
  const b = new GraphBuilder('vocabulary_shard');
  const { x, logits } = logitsOf(b, blueprint, { tokens, vocabulary: shardSize, factors });
  const column = [tokens, 1];
  const labels = b.reshape(b.input('labels', [tokens], 'i32'), column);
  b.output('logits', logits);
  b.output('label', b.reshape(b.gatherElements(logits, labels, 1), [tokens]));
  const most = b.max(logits, [1], true);
  b.output('most', b.reshape(most, [tokens]));
  b.output('sum', b.sum(b.exp(b.sub(logits, most)), [1]));
  b.output('all', b.sum(logits, [1]));

  const [seed, here, total] = ['seed', 'here', 'total'].map((name) =>
    b.reshape(b.input(name, [tokens]), column),
  ) as [ValueId, ValueId, ValueId];
  const probabilities = b.exp(b.sub(logits, total));
  const share = smoothing / (blueprint.head.output.shape[0] ?? 1);
  const isSmoothed = smoothing > 0;
  const spread = b.mul(isSmoothed ? b.sub(probabilities, b.scalar(share)) : probabilities, seed);
  const back = isSmoothed ? b.mul(here, b.scalar(1 - smoothing)) : here;
  const gradient = b.scatterElements(spread, labels, b.neg(back), 1);
  addGradients(b, { value: logits, gradient }, [], x);
  return b.build();
}
