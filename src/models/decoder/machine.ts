/** What the parts of a decoder share: its options, its memory and its compiled graphs. */
import type { HostTensor } from '../../tensor/types.js';
import { Buffers } from './buffers.js';
import { CompiledGraphs } from './compiled.js';
import type { BlockShape, GraphOptions } from './graphs.js';
import { createParameters, type Parameters } from './parameters.js';
import { Angles, causalMask } from './positions.js';
import type { DecoderOptions } from './types.js';
import { Weights, weightNames } from './weights.js';

export interface Machine {
  readonly options: DecoderOptions;
  readonly graphs: GraphOptions;
  readonly compiled: CompiledGraphs;
  readonly buffers: Buffers;
  readonly parameters: Parameters;
  readonly weights: Weights;
  readonly angles: Angles;
  /** `cos`, `sin` and `mask` of a batch whose rows start at position 0. */
  readonly positions: (shape: BlockShape) => Readonly<Record<string, HostTensor>>;
}

export function createMachine(options: DecoderOptions): Machine {
  const { config, adapter, trainable } = options;
  const parameters = createParameters(options, weightNames(options));
  const angles = new Angles(config);
  const buffers = new Buffers();
  let filled = '';
  return {
    options,
    graphs: { config, lora: adapter?.config, trainable },
    compiled: new CompiledGraphs(options.runtime),
    buffers,
    parameters,
    weights: new Weights(options, parameters),
    angles,
    positions({ rows, length }) {
      const shape = [rows, length, config.headDim / 2];
      const [cos, sin] = [buffers.floats('cos', shape), buffers.floats('sin', shape)];
      const mask = buffers.floats('mask', [1, 1, length, length]);
      const wanted = `${rows}x${length}`;
      if (filled !== wanted) {
        angles.fill(rows, length, cos.data, sin.data);
        causalMask(length, mask.data);
        filled = wanted;
      }
      return { cos, sin, mask };
    },
  };
}
