/** Some rows of a matrix: taken out, and put back where they came from. */
import { GraphBuilder } from '../../tensor/builder.js';
import { onHost } from '../../tensor/memory.js';
import { f32 } from '../../tensor/shape.js';
import type { HostTensor, Tensor } from '../../tensor/types.js';
import type { Machine } from './machine.js';

type Shared = Pick<Machine, 'options' | 'compiled' | 'buffers' | 'host'>;

export interface Rows {
  /** Rows of `from` at these positions, and behind them what no one reads: `[size, width]`. */
  take(from: Tensor, positions: readonly number[], size: number): Promise<Tensor>;
  /** Adds `scale` × rows to those rows of `total` that `places` names, to none where it is `null`. */
  add(rows: Tensor, places: readonly (number | null)[], scale: number, total: Tensor): Promise<void>;
  /** The same with a total of zeros. */
  spread(rows: Tensor, places: readonly (number | null)[], scale: number, total: Tensor): Promise<void>;
}

export const createRows = (shared: Shared): Rows =>
  shared.options.runtime.memory.isHost ? onTheHost(shared) : onTheDevice(shared);

function onTheHost({ options, buffers }: Shared): Rows {
  const width = options.config.hiddenSize;
  return {
    async take(from, positions, size) {
      const rows = onHost(buffers.floats('head.x', [size, width]));
      const [target, source] = [rows.data as Float32Array, onHost(from).data as Float32Array];
      positions.forEach((position, row) => {
        target.set(source.subarray(position * width, (position + 1) * width), row * width);
      });
      target.fill(0, positions.length * width);
      return rows;
    },
    async spread(rows, places, scale, total) {
      (onHost(total).data as Float32Array).fill(0);
      await this.add(rows, places, scale, total);
    },
    async add(rows, places, scale, total) {
      const [target, source] = [onHost(total).data as Float32Array, onHost(rows).data as Float32Array];
      for (const [row, place] of places.entries()) {
        if (place === null) continue;
        const [to, from] = [place * width, row * width];
        for (let column = 0; column < width; column++)
          target[to + column] = (target[to + column] ?? 0) + scale * (source[from + column] ?? 0);
      }
    },
  };
}

/** Graphs of a few nodes. */
function onTheDevice({ options, compiled, buffers, host }: Shared): Rows {
  const width = options.config.hiddenSize;
  const list = (role: string, positions: readonly (number | null)[], size: number): HostTensor => {
    const tensor = host.tensor(role, { dtype: 'i32', shape: [size] });
    for (let row = 0; row < size; row++) (tensor.data as Int32Array)[row] = positions[row] ?? 0;
    return tensor;
  };
  const scatter = async (
    rows: Tensor,
    places: readonly (number | null)[],
    scale: number,
    total: Tensor,
    fresh: boolean,
  ): Promise<void> => {
    const [[size = 0], [count = 0]] = [rows.type.shape, total.type.shape];
    const graph = await compiled.get(`scatter ${size} in ${count} ${fresh}`, () => {
      const b = new GraphBuilder('scatter');
      const scaled = b.mul(b.input('rows', [size, width]), b.input('scales', [size, 1]));
      const spread = b.scatterRows(b.input('places', [size], 'i32'), scaled, count);
      b.output('sum', fresh ? spread : b.add(b.input('total', [count, width]), spread));
      return b.build();
    });
    // a row that belongs nowhere is added to the first one as zeros
    const scales = host.tensor('scatter.scales', f32([size, 1]));
    for (let row = 0; row < size; row++)
      (scales.data as Float32Array)[row] = (places[row] ?? null) === null ? 0 : scale;
    const inputs = { rows, scales, places: list('scatter.places', places, size) };
    await graph.run(fresh ? inputs : { ...inputs, total }, { sum: total });
  };
  return {
    async take(from, positions, size) {
      const [count = 0] = from.type.shape;
      const graph = await compiled.get(`take ${size} of ${count}`, () => {
        const b = new GraphBuilder('take');
        b.output('rows', b.gather(b.input('from', [count, width]), b.input('positions', [size], 'i32')));
        return b.build();
      });
      const rows = buffers.floats('head.x', [size, width]);
      await graph.run({ from, positions: list('take.positions', positions, size) }, { rows });
      return rows;
    },
    add: (rows, places, scale, total) => scatter(rows, places, scale, total, false),
    spread: (rows, places, scale, total) => scatter(rows, places, scale, total, true),
  };
}
