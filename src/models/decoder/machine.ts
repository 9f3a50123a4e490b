/** What the parts of a decoder share: its options, its memory and its compiled graphs. */
import { GraphError } from '../../tensor/shape.js';
import type { Tensor, Tensors } from '../../tensor/types.js';
import { type LayerKind, layerKind } from '../adapters/layout.js';
import { maskShape } from '../architectures/graphs/attention.js';
import { type BlockBlueprint, type Blueprint, blockOf, blueprintOf } from '../architectures/index.js';
import { Buffers, HostBuffers } from './buffers.js';
import { CompiledGraphs } from './compiled.js';
import type { BlockShape, GraphOptions } from './graphs.js';
import { createParameters, type Parameters } from './parameters.js';
import { Angles, causalMask, prefixMask, textLengths, textPositions, turningLength } from './positions.js';
import { createPrefix, type Prefix } from './prefix.js';
import { createRows, type Rows } from './rows.js';
import type { Batch, DecoderOptions } from './types.js';
import { Weights, weightNames } from './weights.js';

/** Where the tokens of a batch stand. */
export type Placed = Pick<Batch, 'rows' | 'length' | 'lengths' | 'segments'>;

export interface Machine {
  readonly options: DecoderOptions;
  readonly blueprint: Blueprint;
  readonly graphs: GraphOptions;
  /** What a layer computes, its adapter included. */
  readonly kindOf: (layer: number) => LayerKind;
  readonly compiled: CompiledGraphs;
  /** In the memory of the runtime. */
  readonly buffers: Buffers;
  readonly host: HostBuffers;
  readonly rows: Rows;
  readonly parameters: Parameters;
  readonly weights: Weights;
  readonly prefix: Prefix;
  /**
   * `mask`, where heads are turned `cos` and `sin`, where rows hold several texts `segments`, and before a prefix
   * `prefix.mask`, for a layer of a batch whose texts start at position 0, or behind the prefix.
   */
  readonly positions: (tokens: Placed, layer: number) => Tensors;
}

export function createMachine(options: DecoderOptions): Machine {
  const { config, adapter, trainable, precision } = options;
  const blueprint = blueprintOf(config);
  const parameters = createParameters(options, weightNames(options));
  const { memory } = options.runtime;
  const buffers = new Buffers(memory);
  const host = new HostBuffers();
  const compiled = new CompiledGraphs(options.runtime);
  const graphs: GraphOptions = { config, lora: adapter?.config, trainable, precision };
  const rows = createRows({ options, compiled, buffers, host });
  const prefix = createPrefix({ options, graphs, compiled, parameters });
  const kinds = blueprint.layers.map((_, layer) => layerKind(blueprint, adapter?.config, layer));
  /** What each buffer was last filled for: a shape, or the segments of a batch. */
  const filled = new Map<string, string | Int32Array>();
  /** Gives the tensors of some roles, filled where they were last filled for something else. */
  const current = <Roles extends readonly string[]>(
    roles: readonly [...Roles],
    shape: readonly number[],
    wanted: string | Int32Array,
    fill: (...data: { [Role in keyof Roles]: Float32Array }) => void,
  ): { [Role in keyof Roles]: Tensor } => {
    const tensors = roles.map((role) => buffers.floats(role, shape));
    const last = roles.join();
    if (filled.get(last) !== wanted)
      memory.write(tensors, (...data) => fill(...(data as { [Role in keyof Roles]: Float32Array })));
    filled.set(last, wanted);
    return tensors as { [Role in keyof Roles]: Tensor };
  };
  return {
    options,
    blueprint,
    graphs,
    kindOf(layer) {
      const kind = kinds[layer];
      if (kind === undefined) throw new GraphError(`block ${layer} of ${kinds.length}`);
      return kind;
    },
    compiled,
    buffers,
    host,
    rows,
    parameters,
    weights: new Weights({ options, parameters, rows }),
    prefix,
    positions({ rows: count, length, lengths, segments }, layer): Tensors {
      const { rotary, window } = blockOf(blueprint, layer).attention;
      const seen = maskShape(length);
      const [mask] = current([maskRole(window)], [1, 1, ...seen], String(length), (data) => {
        causalMask(seen, window, data);
      });
      const texts: Record<string, Tensor> = { mask };
      if (segments !== undefined)
        [texts['segments']] = current(['segments'], [count, length], segments, (data) => data.set(segments));
      if (prefix.tokens > 0) {
        const shape = [segments === undefined ? 1 : count, 1, length, prefix.tokens];
        const wanted = segments ?? String(length);
        [texts['prefix.mask']] = current([`prefix ${maskRole(window)}`], shape, wanted, (data) => {
          const placed =
            segments === undefined
              ? Int32Array.from({ length }, (_, index) => index)
              : textPositions(segments, length);
          prefixMask(placed, prefix.tokens, window, data);
        });
      }
      if (rotary === undefined) return texts;
      const turn = turnRole(blueprint, layer);
      const shape = [count, length, rotary.dims / 2];
      const behind = (tokens: number): number => prefix.tokens + tokens;
      const whole = (lengths ?? Array<number>(count).fill(length)).map(behind);
      const areLong = whole.map((tokens) => tokens > turningLength(rotary));
      const wanted = segments ?? `${count}x${length} ${areLong.join()}`;
      const [cos, sin] = current([`cos ${turn}`, `sin ${turn}`], shape, wanted, (cosines, sines) => {
        const angles = new Angles(rotary);
        if (segments === undefined) return angles.fill(whole, length, cosines, sines, prefix.tokens);
        const placed = textPositions(segments, length);
        angles.at(placed.map(behind), textLengths(placed).map(behind), cosines, sines);
      });
      return { ...texts, cos, sin };
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
export function positionFloats(
  { blocks }: Blueprint,
  { rows, length, packed }: BlockShape,
  prefix = 0,
): number {
  const masks = new Set(Object.values(blocks).map(({ attention }) => maskRole(attention.window)));
  const turns = new Map(
    Object.values(blocks).map(({ attention: { rotary } }) => [JSON.stringify(rotary), rotary?.dims ?? 0]),
  );
  const dims = [...turns.values()].reduce((sum, count) => sum + count, 0);
  const [queries, columns] = maskShape(length);
  const beforeTexts = prefix * length * (packed === undefined ? 1 : rows);
  return (
    masks.size * (queries * columns + beforeTexts) + rows * length * (dims + (packed === undefined ? 0 : 1))
  );
}
