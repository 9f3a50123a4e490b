/** Angles and masks of the next token of each row, for every kind of layer. */
import type { HostTensor } from '../../tensor/types.js';
import { MASKED } from '../architectures/graphs/attention.js';
import { type BlockBlueprint, type Blueprint, blockOf } from '../architectures/index.js';
import { floatTensor } from './parameters.js';
import { Angles } from './positions.js';

type Floats = HostTensor & { readonly data: Float32Array };

interface LayerPositions {
  readonly window: number | undefined;
  readonly half: number;
  readonly angles: Angles | undefined;
  cos: Floats;
  sin: Floats;
  mask: Floats;
}

const floats = (shape: readonly number[]): Floats =>
  floatTensor(shape, new Float32Array(shape.reduce((product, size) => product * size, 1))) as Floats;

const EMPTY = floats([0]);

export class DecodePositions {
  private readonly kinds: ReadonlyMap<BlockBlueprint, LayerPositions>;

  constructor(private readonly blueprint: Blueprint) {
    this.kinds = new Map(
      Object.values(blueprint.blocks).map((block): [BlockBlueprint, LayerPositions] => {
        const { rotary, window } = block.attention;
        const angles = rotary && new Angles(rotary);
        return [
          block,
          { window, half: (rotary?.dims ?? 0) / 2, angles, cos: EMPTY, sin: EMPTY, mask: EMPTY },
        ];
      }),
    );
  }

  /** For rows of these lengths in a cache of `size` positions: what their next tokens see, and their angles. */
  prepare(lengths: Int32Array, size: number): void {
    const rows = lengths.length;
    for (const kind of this.kinds.values()) {
      if (kind.mask.type.shape.join() !== `${rows},1,1,${size}`) {
        kind.mask = floats([rows, 1, 1, size]);
        [kind.cos, kind.sin] = [floats([rows, 1, kind.half]), floats([rows, 1, kind.half])];
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
