/** What all of a decoder's passes use: its weights, rows, prefix and positions, over its resources. */
import { GraphError } from '../../tensor/shape.js';
import { type LayerKind, layerKinds } from '../adapters/kinds.js';
import { type Blueprint, blueprintOf } from '../architectures/index.js';
import { headShards, type VocabularyShard } from './chunks.js';
import { createMatrixRows, type MatrixRows } from './matrix-rows.js';
import { createParameters } from './parameters.js';
import { BatchPositions } from './position-inputs.js';
import { createPrefix, type Prefix } from './prefix.js';
import { Buffers, CompiledGraphs, type DecoderResources, HostBuffers } from './resources.js';
import type { DecoderOptions } from './types.js';
import { decodesMatrices, Weights, weightNames } from './weights.js';

export interface DecoderContext extends DecoderResources {
  readonly blueprint: Blueprint;
  /** What a layer computes, its adapter included. */
  readonly kindOf: (layer: number) => LayerKind;
  readonly rows: MatrixRows;
  readonly weights: Weights;
  readonly prefix: Prefix;
  readonly positions: BatchPositions;
  /** Of the vocabulary, where the head is computed for one shard after another. */
  readonly shards: readonly VocabularyShard[] | undefined;
}

/** `tiles`: places of the tiles that matrices which are dequantised may lie in, where the runtime has such. */
export function createContext(options: DecoderOptions, tiles?: number): DecoderContext {
  const { config, adapter, trainable, precision, smoothing } = options;
  const blueprint = blueprintOf(config);
  const parts: DecoderResources = {
    options,
    graphs: {
      ...{ config, adapter: adapter?.config, trainable, precision, smoothing },
      tiles: tiles !== undefined && decodesMatrices(options, blueprint, config.headDim) ? tiles : undefined,
    },
    compiled: new CompiledGraphs(options.runtime),
    buffers: new Buffers(options.runtime.memory),
    host: new HostBuffers(),
    parameters: createParameters(options, weightNames(options)),
  };
  const rows = createMatrixRows(parts);
  const prefix = createPrefix(parts);
  const shards = headShards(options);
  const kinds = layerKinds(config, adapter?.config);
  return {
    ...parts,
    blueprint,
    kindOf(layer) {
      const kind = kinds[layer];
      if (kind === undefined) throw new GraphError(`block ${layer} of ${kinds.length}`);
      return kind;
    },
    rows,
    weights: new Weights(parts, rows, shards),
    prefix,
    positions: new BatchPositions(parts, blueprint, prefix.tokens),
    shards,
  };
}
