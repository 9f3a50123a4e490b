/** A decoder's blocks, weights and positions over what they share. */
import { GraphError } from '../../tensor/shape.js';
import { type LayerKind, layerKind } from '../adapters/kinds.js';
import { type Blueprint, blueprintOf } from '../architectures/index.js';
import { BatchPositions } from './batch-positions.js';
import { Buffers, HostBuffers } from './buffers.js';
import { CompiledGraphs } from './compiled.js';
import { createParameters } from './parameters.js';
import type { Parts } from './parts.js';
import { createPrefix, type Prefix } from './prefix.js';
import { createRows, type Rows } from './rows.js';
import type { DecoderOptions } from './types.js';
import { headPieces, type Piece } from './vocabulary.js';
import { Weights, weightNames } from './weights.js';

export interface Machine extends Parts {
  readonly blueprint: Blueprint;
  /** What a layer computes, its adapter included. */
  readonly kindOf: (layer: number) => LayerKind;
  readonly rows: Rows;
  readonly weights: Weights;
  readonly prefix: Prefix;
  readonly positions: BatchPositions;
  /** Of the vocabulary, where the head is computed for one after the other. */
  readonly pieces: readonly Piece[] | undefined;
}

export function createMachine(options: DecoderOptions): Machine {
  const { config, adapter, trainable, precision } = options;
  const blueprint = blueprintOf(config);
  const parts: Parts = {
    options,
    graphs: { config, adapter: adapter?.config, trainable, precision },
    compiled: new CompiledGraphs(options.runtime),
    buffers: new Buffers(options.runtime.memory),
    host: new HostBuffers(),
    parameters: createParameters(options, weightNames(options)),
  };
  const rows = createRows(parts);
  const prefix = createPrefix(parts);
  const pieces = headPieces(options);
  const kinds = blueprint.layers.map((_, layer) => layerKind(blueprint, adapter?.config, layer));
  return {
    ...parts,
    blueprint,
    kindOf(layer) {
      const kind = kinds[layer];
      if (kind === undefined) throw new GraphError(`block ${layer} of ${kinds.length}`);
      return kind;
    },
    rows,
    weights: new Weights(parts, rows, pieces),
    prefix,
    positions: new BatchPositions(parts, blueprint, prefix.tokens),
    pieces,
  };
}
