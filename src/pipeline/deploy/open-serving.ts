import { classifierAsked } from '../../compute/evaluation/evaluation-diagnostics.js';
import { cacheBytesPerToken } from '../../compute/evaluation/generation/generate.js';
import { QUERY_BLOCK } from '../../compute/models/architectures/graphs/attention.js';
import type { Graphs } from '../../compute/models/decoder/compiled-bytes.js';
import type { Decoder } from '../../compute/models/decoder/index.js';
import { planDecoder } from '../../compute/models/decoder/plan.js';
import type { ModelConfig } from '../../compute/models/types.js';
import { EmbeddedEngine } from '../../compute/serving/embedded-engine.js';
import { embeddedBytes } from '../../compute/serving/process-memory.js';
import type { ServingEngine } from '../../compute/serving/types.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { openParts } from './open-answerer.js';
import { isForLlama, openLlamaServing } from './open-llama.js';
import type { OpenServingOptions } from './serving-options.js';

export type { OpenServingOptions };

const ROWS = 16;
/**
 * Shares of the machine's memory: of caches, and of weights that are held as float32, so that no token waits for them
 * to be decoded.
 */
const CACHE_SHARE = 1 / 8;
const FLOAT32_SHARE = 1 / 4;
/** Of the caches, for texts that were read before. */
const PREFIX_SHARE = 1 / 4;

/** Opens what answers many at once. Throws as `openAnswerer` does. */
export async function openServing(host: Host, options: OpenServingOptions): Promise<ServingEngine> {
  const { engine = 'auto', ...plain } = options;
  if (engine === 'llama.cpp') return openLlamaServing(host, plain);
  if (engine === 'auto' && isForLlama(host, plain)) {
    try {
      return await openLlamaServing(host, plain);
    } catch (error) {
      // what the embedded engine cannot take either, it says itself
      if (!(error instanceof UserError)) throw error;
    }
  }
  const float32Bytes = plain.float32Bytes ?? host.machine().memoryBytes * FLOAT32_SHARE;
  const opened = await openParts(host, { ...plain, float32Bytes });
  const { decoder, model, label } = opened;
  if (decoder === undefined || model.facts.labels !== undefined) {
    await model.release();
    throw classifierAsked(label);
  }
  const { config } = decoder.options;
  const room = cacheRoom(config, options, host);
  return new EmbeddedEngine({
    ...{ label, decoder, facts: model.facts, tokenizer: opened.tokenizer },
    ...{ template: opened.template, training: opened.training, system: options.system, clock: host.clock },
    ...room,
    memory: embeddedBytes({
      ...{ weightBytes: opened.weightBytes ?? 0, codes: opened.codes, ...room },
      ...{ layers: config.layers, perToken: cacheBytesPerToken(config), blocks: stepGraphs(decoder.options) },
    }),
  });
}

/** A graph of a token's step through a block has about as many nodes as that of a short row. */
function stepGraphs({ config, adapter }: Decoder['options']): Graphs {
  const { graphs } = planDecoder({
    ...{ config, adapter: adapter?.config, trainable: 'none', weightBytes: 0, dequantised: {} },
    ...{ rows: 1, length: QUERY_BLOCK, checkpointedBlocks: 0, logitsChunk: 1 },
  });
  const blocks = graphs.filter(({ role }) => role === 'block_forward');
  return { count: blocks.length, nodes: blocks.reduce((sum, { graph }) => sum + graph.nodes.length, 0) };
}

/** How many tokens there are caches for: those of the batch, those of finished texts, and those of a prompt that is read. */
function cacheRoom(
  config: ModelConfig,
  { rows = ROWS, contextTokens = config.maxPositions, cacheTokens }: OpenServingOptions,
  host: Host,
) {
  const perToken = cacheBytesPerToken(config);
  const affordable = cacheTokens ?? Math.floor((host.machine().memoryBytes * CACHE_SHARE) / perToken);
  // a prompt is read in a cache of its own, before it joins
  const context = Math.max(1, Math.min(contextTokens, config.maxPositions, Math.floor(affordable / 3)));
  const left = affordable - context;
  const prefixTokens = Math.min(Math.floor(left * PREFIX_SHARE), rows * context);
  const batchTokens = Math.max(context, Math.min(left - prefixTokens, rows * context));
  return { rows, contextTokens: context, batchTokens, prefixTokens };
}
