/** Masks, angles and segments of a batch, which the graphs of its layers read. */
import type { HostTensor, Tensor, Tensors } from '../../tensor/types.js';
import { MASKED, maskShape } from '../architectures/graphs/attention.js';
import { type BlockBlueprint, type Blueprint, blockOf } from '../architectures/index.js';
import type { BlockShape } from './graphs.js';
import { type HostFloats, zeros } from './parameters.js';
import {
  Angles,
  causalMask,
  placesInTexts,
  prefixMask,
  textLengths,
  textPositions,
  turningLength,
} from './positions.js';
import type { DecoderResources } from './resources.js';
import type { Batch } from './types.js';

/** Where the tokens of a batch are. */
type TokenLayout = Pick<Batch, 'rows' | 'length' | 'lengths' | 'segments' | 'forks'>;

type Rotary = NonNullable<BlockBlueprint['attention']['rotary']>;

export class BatchPositions {
  /** What each buffer was last filled for: a shape, or the segments of a batch. */
  private readonly filled = new Map<string, string | Int32Array>();

  constructor(
    private readonly parts: Pick<DecoderResources, 'options' | 'buffers'>,
    private readonly blueprint: Blueprint,
    /** Tokens of a prefix, after which the texts start. */
    private readonly prefix: number,
  ) {}

  /**
   * `mask`, `cos` and `sin` where the layer has rotary embeddings, `segments` where rows hold several texts, `forks` where
   * these begin alike, and `prefix.mask` after a prefix.
   */
  inputs(batch: TokenLayout, layer: number): Tensors {
    const { rotary, window } = blockOf(this.blueprint, layer).attention;
    return {
      ...this.masks(batch, window),
      ...(rotary === undefined ? {} : this.angles(batch, rotary, turnRole(this.blueprint, layer))),
    };
  }

  private masks(batch: TokenLayout, window: number | undefined): Tensors {
    const { rows, length, segments, forks } = batch;
    const seen = maskShape(length);
    const [mask] = this.current([maskRole(window)], [1, 1, ...seen], String(length), (data) => {
      causalMask(seen, window, data);
    });
    const masks: Record<string, Tensor> = { mask };
    if (segments !== undefined)
      [masks['segments']] = this.current(['segments'], [rows, length], segments, (data) =>
        data.set(segments),
      );
    if (forks !== undefined)
      [masks['forks']] = this.current(['forks'], [rows, length], forks, (data) => data.set(forks));
    if (this.prefix > 0) {
      const numbers = segments ?? forks;
      const shape = [numbers === undefined ? 1 : rows, 1, length, this.prefix];
      const wanted = numbers ?? String(length);
      [masks['prefix.mask']] = this.current([`prefix ${maskRole(window)}`], shape, wanted, (data) => {
        const placed = placesInTexts(batch) ?? textPositions(new Int32Array(length), length);
        prefixMask(placed, this.prefix, window, data);
      });
    }
    return masks;
  }

  private angles(batch: TokenLayout, rotary: Rotary, role: string): Tensors {
    const { rows, length, lengths, segments, forks } = batch;
    const shape = [rows, length, rotary.dims / 2];
    const shifted = (tokens: number): number => this.prefix + tokens;
    const whole = (lengths ?? Array<number>(rows).fill(length)).map(shifted);
    const areLong = whole.map((tokens) => tokens > turningLength(rotary));
    const wanted = segments ?? forks ?? `${rows}x${length} ${areLong.join()}`;
    const [cos, sin] = this.current([`cos ${role}`, `sin ${role}`], shape, wanted, (cosines, sines) => {
      const angles = new Angles(rotary);
      const placed = placesInTexts(batch);
      if (placed === undefined) return angles.fill(whole, length, cosines, sines, this.prefix);
      // a prompt that is turned by the angles of long texts has no second answer in its row
      const tokens = forks === undefined ? textLengths(placed).map(shifted) : new Int32Array(placed.length);
      angles.at(placed.map(shifted), tokens, cosines, sines);
    });
    return { cos, sin };
  }

  /** The buffers of some roles, filled where they were last filled for something else. */
  private current<Roles extends readonly string[]>(
    roles: readonly [...Roles],
    shape: readonly number[],
    wanted: string | Int32Array,
    fill: (...data: { [Role in keyof Roles]: Float32Array }) => void,
  ): { [Role in keyof Roles]: Tensor } {
    const { buffers, options } = this.parts;
    const tensors = roles.map((role) => buffers.floats(role, shape));
    const key = roles.join();
    if (this.filled.get(key) !== wanted)
      options.runtime.memory.write(tensors, (...data) =>
        fill(...(data as { [Role in keyof Roles]: Float32Array })),
      );
    this.filled.set(key, wanted);
    return tensors as { [Role in keyof Roles]: Tensor };
  }
}

const maskRole = (window: number | undefined): string => `mask ${window ?? 'full'}`;

/** The first kind of layer whose heads are rotary-embedded like this layer's: they share their angles. */
function turnRole({ layers, blocks }: Blueprint, layer: number): string {
  const text = ({ attention }: BlockBlueprint) => JSON.stringify(attention.rotary);
  const own = layers[layer] ?? '';
  const wanted = blocks[own];
  const shared = Object.keys(blocks).find(
    (kind) => wanted !== undefined && blocks[kind] !== undefined && text(blocks[kind]) === text(wanted),
  );
  return shared ?? own;
}

/** Floats that {@link BatchPositions} holds for rows of one length. */
export function positionFloats(
  { blocks }: Blueprint,
  { rows, length, packed, forked }: BlockShape,
  prefix = 0,
): number {
  const masks = new Set(Object.values(blocks).map(({ attention }) => maskRole(attention.window)));
  const turns = new Map(
    Object.values(blocks).map(({ attention: { rotary } }) => [JSON.stringify(rotary), rotary?.dims ?? 0]),
  );
  const dims = [...turns.values()].reduce((sum, count) => sum + count, 0);
  const [queries, columns] = maskShape(length);
  const isNumbered = packed !== undefined || forked === true;
  const beforeTexts = prefix * length * (isNumbered ? rows : 1);
  return masks.size * (queries * columns + beforeTexts) + rows * length * (dims + (isNumbered ? 1 : 0));
}

interface LayerPositions {
  readonly window: number | undefined;
  readonly half: number;
  readonly angles: Angles | undefined;
  cos: HostFloats;
  sin: HostFloats;
  mask: HostFloats;
}

const EMPTY = zeros([0]);

/** Angles and masks of the next token of each row, for every kind of layer. */
export class DecodePositions {
  private readonly kinds: ReadonlyMap<BlockBlueprint, LayerPositions>;

  constructor(private readonly blueprint: Blueprint) {
    this.kinds = new Map(
      Object.values(blueprint.blocks).map((block): [BlockBlueprint, LayerPositions] => {
        const { rotary, window } = block.attention;
        const half = (rotary?.dims ?? 0) / 2;
        const angles = rotary && new Angles(rotary);
        return [block, { window, half, angles, cos: EMPTY, sin: EMPTY, mask: EMPTY }];
      }),
    );
  }

  /** For rows of these lengths in a cache of `size` positions: what their next tokens see, and their angles. */
  prepare(lengths: Int32Array, size: number): void {
    const rows = lengths.length;
    for (const kind of this.kinds.values()) {
      if (kind.mask.type.shape.join() !== `${rows},1,1,${size}`) {
        kind.mask = zeros([rows, 1, 1, size]);
        [kind.cos, kind.sin] = [zeros([rows, 1, kind.half]), zeros([rows, 1, kind.half])];
      }
      kind.mask.data.fill(MASKED);
      lengths.forEach((length, row) => {
        const first = kind.window === undefined ? 0 : Math.max(0, length + 1 - kind.window);
        kind.mask.data.fill(0, row * size + first, row * size + length);
        kind.angles?.write(length, length + 1, kind.cos.data, kind.sin.data, row * kind.half);
      });
    }
  }

  /** Inputs of a layer's step graph. */
  inputs(layer: number): Readonly<Record<string, HostTensor>> {
    const kind = this.kinds.get(blockOf(this.blueprint, layer));
    if (kind === undefined) return {};
    const { cos, sin, mask, angles } = kind;
    return angles === undefined ? { mask } : { mask, cos, sin };
  }
}
