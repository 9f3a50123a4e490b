/** What the parts of a decoder share: its options, its memory and its compiled graphs. */
import { GraphError } from '../../tensor/shape.js';
import type { HostTensor } from '../../tensor/types.js';
import { type LayerKind, layerKind } from '../adapters/layout.js';
import { type BlockBlueprint, type Blueprint, blockOf, blueprintOf } from '../architectures/index.js';
import { Buffers } from './buffers.js';
import { CompiledGraphs } from './compiled.js';
import type { BlockShape, GraphOptions } from './graphs.js';
import { createParameters, type Parameters } from './parameters.js';
import { Angles, causalMask } from './positions.js';
import type { DecoderOptions } from './types.js';
import { Weights, weightNames } from './weights.js';

export interface Machine {
  readonly options: DecoderOptions;
  readonly blueprint: Blueprint;
  readonly graphs: GraphOptions;
  /** What a layer computes, its adapter included. */
  readonly kindOf: (layer: number) => LayerKind;
  readonly compiled: CompiledGraphs;
  readonly buffers: Buffers;
  readonly parameters: Parameters;
  readonly weights: Weights;
  /** `mask`, and where heads are turned `cos` and `sin`, for a layer of a batch whose rows start at position 0. */
  readonly positions: (shape: BlockShape, layer: number) => Readonly<Record<string, HostTensor>>;
}

export function createMachine(options: DecoderOptions): Machine {
  const { config, adapter, trainable } = options;
  const blueprint = blueprintOf(config);
  const parameters = createParameters(options, weightNames(options));
  const buffers = new Buffers();
  const kinds = blueprint.layers.map((_, layer) => layerKind(blueprint, adapter?.config, layer));
  /** What each buffer was last filled for. */
  const filled = new Map<string, string>();
  return {
    options,
    blueprint,
    graphs: { config, lora: adapter?.config, trainable },
    kindOf(layer) {
      const kind = kinds[layer];
      if (kind === undefined) throw new GraphError(`block ${layer} of ${kinds.length}`);
      return kind;
    },
    compiled: new CompiledGraphs(options.runtime),
    buffers,
    parameters,
    weights: new Weights(options, parameters),
    positions({ rows, length }, layer): Readonly<Record<string, HostTensor>> {
      const { rotary, window } = blockOf(blueprint, layer).attention;
      const wanted = `${rows}x${length}`;
      const stale = (role: string) => {
        const before = filled.get(role);
        filled.set(role, wanted);
        return before !== wanted;
      };
      const seen = maskRole(window);
      const mask = buffers.floats(seen, [1, 1, length, length]);
      if (stale(seen)) causalMask(length, window, mask.data);
      if (rotary === undefined) return { mask };
      const turn = turnRole(blueprint, layer);
      const shape = [rows, length, rotary.dims / 2];
      const [cos, sin] = [buffers.floats(`cos ${turn}`, shape), buffers.floats(`sin ${turn}`, shape)];
      if (stale(turn)) new Angles(rotary, length).fill(rows, length, cos.data, sin.data);
      return { mask, cos, sin };
    },
  };
}

const maskRole = (window: number | undefined): string => `mask ${window ?? 'full'}`;

/** The first kind of layer whose heads turn as this layer's: they share their angles. */
function turnRole({ layers, blocks }: Blueprint, layer: number): string {
  const text = ({ attention }: BlockBlueprint) => JSON.stringify(attention.rotary);
  const own = layers[layer] ?? '';
  const wanted = blocks[own];
  const shared = Object.keys(blocks).find(
    (kind) => wanted !== undefined && blocks[kind] !== undefined && text(blocks[kind]) === text(wanted),
  );
  return shared ?? own;
}

/** Floats that {@link Machine.positions} holds for rows of one length. */
export function positionFloats({ blocks }: Blueprint, rows: number, length: number): number {
  const masks = new Set(Object.values(blocks).map(({ attention }) => maskRole(attention.window)));
  const turns = new Map(
    Object.values(blocks).map(({ attention: { rotary } }) => [JSON.stringify(rotary), rotary?.dims ?? 0]),
  );
  const dims = [...turns.values()].reduce((sum, count) => sum + count, 0);
  return masks.size * length * length + rows * length * dims;
}
