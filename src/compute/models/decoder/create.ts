import { virtualTokensOf } from '../adapters/kinds.js';
import { promptTokens } from '../adapters/prompt.js';
import { adaptedConfig } from '../adapters/whole.js';
import { requireGraph } from '../foreign.js';
import type { ModelConfig } from '../types.js';
import { createContext, type DecoderContext } from './context.js';
import { addEmbeddingGradient } from './embedding.js';
import { trainsBlocks } from './graphs.js';
import { headGradient, headLogits, headLoss, prepareHead } from './head.js';
import { openSession } from './session.js';
import { evaluateStack } from './stack.js';
import { storedSteps } from './stored-step.js';
import {
  lossResult,
  prompted,
  type Seeds,
  type Supervision,
  supervisionOf,
  tokenLosses,
} from './supervision.js';
import { trainStack, upstreamBuffer } from './training-pass.js';
import type { Batch, Decoder, DecoderOptions, DropoutKey, LossResult, Weighing } from './types.js';

/**
 * A decoder over stored weights. Throws a `ModelError` if weights or adapter don't fit the configuration.
 * Calls must not overlap: they share their buffers.
 */
export async function createDecoder(given: DecoderOptions): Promise<Decoder> {
  requireGraph(given.config);
  const options = { ...given, config: adaptedConfig(given.config, given.adapter?.config) };
  const context = createContext(options, options.tiled ? await options.runtime.tileSize?.() : undefined);
  const { parameters } = context;
  const virtual = promptTokens(options.adapter?.config);
  const steps = storedSteps(context);
  return {
    options: { ...options, config: withRoom(options.config, virtualTokensOf(options.adapter?.config)) },
    parameters: parameters.values,
    gradients: parameters.gradients,
    collectGradients: parameters.collect,
    parametersChanged: parameters.changed,
    onDevice: parameters.onDevice,
    zeroGradients: parameters.zeroGradients,
    async accumulate(rows, scale, key, noise = 0) {
      if (options.trainable === 'none') throw new RangeError('this decoder trains nothing');
      return accumulated(context, prompted(rows, virtual), scale, { key, noise });
    },
    async loss(rows, each) {
      context.compiled.begin();
      const batch = prompted(rows, virtual);
      const supervision = supervisionOf(batch, options.config);
      if (supervision.positions.length === 0) return lossResult(batch, supervision);
      const hidden = await evaluateStack(context, batch);
      const losses = await headLoss(context, hidden, supervision);
      each?.(tokenLosses(batch, supervision, losses, options.config, virtual));
      return lossResult(batch, supervision, losses);
    },
    async logits(rows) {
      context.compiled.begin();
      const batch = prompted({ ...rows, labels: rows.ids }, virtual);
      const hidden = await evaluateStack(context, batch);
      const isReal = (index: number): boolean => index % batch.length >= virtual;
      return headLogits(context, hidden, Array.from(batch.ids.keys()).filter(isReal));
    },
    async classify(rows) {
      context.compiled.begin();
      const batch = prompted(rows, virtual);
      const { positions } = supervisionOf(batch, options.config);
      return headLogits(context, await evaluateStack(context, batch), positions);
    },
    session: async (rows, capacity) => openSession(context, steps, rows, capacity),
    async release() {
      await steps.release();
      await context.compiled.release();
      context.buffers.clear();
      context.host.clear();
      context.weights.release();
      parameters.release();
    },
  };
}

/** Forward and backward of a batch, whose virtual tokens it has. */
async function accumulated(
  context: DecoderContext,
  batch: Batch,
  scale: number | Weighing,
  { key, noise }: { readonly key: DropoutKey; readonly noise: number },
): Promise<LossResult> {
  const { config, adapter } = context.options;
  context.compiled.begin();
  const supervision = supervisionOf(batch, config);
  // without a supervised token the loss is 0 and so is every gradient
  if (supervision.positions.length === 0) return lossResult(batch, supervision);
  await prepareHead(context, supervision.positions.length, typeof scale === 'function');
  const virtual = promptTokens(adapter?.config);
  const seeds =
    typeof scale === 'number'
      ? weighed(scale, supervision)
      : (losses: Float32Array) => scale(tokenLosses(batch, supervision, losses, config, virtual));
  if (!trainsBlocks(context.graphs)) {
    const hidden = await evaluateStack(context, batch);
    const losses = await headGradient(context, hidden, supervision, seeds, { upstream: undefined, key });
    return lossResult(batch, supervision, losses);
  }
  const pass = await trainStack(context, batch, key, noise);
  const upstream = upstreamBuffer(context, batch);
  const losses = await headGradient(context, pass.hidden, supervision, seeds, { upstream, key });
  const embedded = await pass.backward(upstream);
  if (embedded !== undefined) {
    await addEmbeddingGradient(context, batch, embedded);
    await context.weights.embedding.factors?.addGradients(batch.ids, embedded);
  }
  return lossResult(batch, supervision, losses);
}

/** What the gradient of each loss is multiplied by: its weight, too, where they differ. */
const weighed = (scale: number, { weights }: Supervision): Seeds =>
  weights === undefined ? scale : Float32Array.from(weights, (weight) => scale * weight);

/** Virtual tokens take positions from the texts. */
const withRoom = (config: ModelConfig, virtual: number): ModelConfig =>
  virtual === 0 ? config : { ...config, maxPositions: config.maxPositions - virtual };
