/** Some rows of a matrix: taken out, and put back where they came from. */
import { GraphBuilder } from '../../tensor/builder.js';
import { onHost } from '../../tensor/memory.js';
import type { Graph, HostTensor, Tensor } from '../../tensor/types.js';
import type { DecoderResources } from './resources.js';

type RowResources = Pick<DecoderResources, 'options' | 'compiled' | 'buffers' | 'host'>;

/** For each row of a result, a row of a table times `scale`; `null` for none. */
export interface RowSource {
  readonly from: Tensor;
  readonly places: readonly (number | null)[];
  readonly scale: number;
}

export interface MatrixRows {
  /** Rows of `from` at these positions, and after them what nobody reads: `[size, width]`. */
  take(from: Tensor, positions: readonly number[], size: number): Promise<Tensor>;
  /** Writes the sum of what is looked up. */
  sum(sources: readonly RowSource[], out: Tensor): Promise<void>;
  /** Adds `scale` × rows to those rows of `total` that `places` names, to none if it is `null`. */
  add(rows: Tensor, places: readonly (number | null)[], scale: number, total: Tensor): Promise<void>;
  /** The same with a total of zeros. */
  spread(rows: Tensor, places: readonly (number | null)[], scale: number, total: Tensor): Promise<void>;
  /** Multiplies each row of `total` by its factor. */
  multiply(total: Tensor, factors: Float32Array): Promise<void>;
}

export const createMatrixRows = (shared: RowResources): MatrixRows =>
  shared.options.runtime.memory.isHost ? onTheHost(shared) : onTheDevice(shared);

function onTheHost({ options, buffers }: RowResources): MatrixRows {
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
    async sum(sources, out) {
      (onHost(out).data as Float32Array).fill(0);
      for (const { from, places, scale } of sources) {
        const [target, source] = [onHost(out).data as Float32Array, onHost(from).data as Float32Array];
        for (const [row, place] of places.entries())
          if (place !== null) addRow(target, row, source, place, scale, width);
      }
    },
    async spread(rows, places, scale, total) {
      (onHost(total).data as Float32Array).fill(0);
      await this.add(rows, places, scale, total);
    },
    async add(rows, places, scale, total) {
      const [target, source] = [onHost(total).data as Float32Array, onHost(rows).data as Float32Array];
      for (const [row, place] of places.entries())
        if (place !== null) addRow(target, place, source, row, scale, width);
    },
    async multiply(total, factors) {
      const values = onHost(total).data as Float32Array;
      for (const [row, factor] of factors.entries())
        for (let at = row * width; at < (row + 1) * width; at++) values[at] = (values[at] ?? 0) * factor;
    },
  };
}

function addRow(
  target: Float32Array,
  to: number,
  source: Float32Array,
  from: number,
  scale: number,
  width: number,
): void {
  const [first, read] = [to * width, from * width];
  for (let column = 0; column < width; column++)
    target[first + column] = (target[first + column] ?? 0) + scale * (source[read + column] ?? 0);
}

/** Graphs of a few nodes. */
function onTheDevice({ options, compiled, buffers, host }: RowResources): MatrixRows {
  const width = options.config.hiddenSize;
  const list = (role: string, positions: readonly (number | null)[], size: number): HostTensor => {
    const tensor = host.tensor(role, { dtype: 'i32', shape: [size] });
    for (let row = 0; row < size; row++) (tensor.data as Int32Array)[row] = positions[row] ?? 0;
    return tensor;
  };
  /** A row that comes from nowhere, or belongs nowhere, is the first one times 0. */
  const scaling = (role: string, places: readonly (number | null)[], size: number, scale: number) => {
    const tensor = host.floats(role, [size, 1]);
    for (let row = 0; row < size; row++) tensor.data[row] = (places[row] ?? null) === null ? 0 : scale;
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
    const graph = await compiled.get(`scatter ${size} in ${count} ${fresh}`, () =>
      scatterGraph({ size, count, width }, fresh),
    );
    const scales = scaling('scatter.scales', places, size, scale);
    const inputs = { rows, scales, places: list('scatter.places', places, size) };
    await graph.run(fresh ? inputs : { ...inputs, total }, { sum: total });
  };
  return {
    async take(from, positions, size) {
      const [count = 0] = from.type.shape;
      const graph = await compiled.get(`take ${size} of ${count}`, () => takeGraph({ size, count, width }));
      const rows = buffers.floats('head.x', [size, width]);
      await graph.run({ from, positions: list('take.positions', positions, size) }, { rows });
      return rows;
    },
    async sum(sources, out) {
      const [size = 0] = out.type.shape;
      const counts = sources.map(({ from }) => from.type.shape[0] ?? 0);
      const graph = await compiled.get(`sum ${size} of ${counts.join()}`, () =>
        sumGraph(counts, size, width),
      );
      const inputs: Record<string, Tensor> = {};
      for (const [at, { from, places, scale }] of sources.entries()) {
        inputs[`from.${at}`] = from;
        inputs[`places.${at}`] = list(`sum.places.${at}`, places, size);
        inputs[`scales.${at}`] = scaling(`sum.scales.${at}`, places, size, scale);
      }
      await graph.run(inputs, { sum: out });
    },
    add: (rows, places, scale, total) => scatter(rows, places, scale, total, false),
    spread: (rows, places, scale, total) => scatter(rows, places, scale, total, true),
    async multiply(total, factors) {
      const count = factors.length;
      const graph = await compiled.get(`multiply ${count}`, () =>
        multiplyGraph({ size: count, count, width }),
      );
      const tensor = host.floats('multiply.factors', [count, 1]);
      tensor.data.set(factors);
      await graph.run({ total, factors: tensor }, { product: total });
    },
  };
}

interface Extent {
  /** Rows that are taken, or put back. */
  readonly size: number;
  /** Rows of the matrix. */
  readonly count: number;
  readonly width: number;
}

function takeGraph({ size, count, width }: Extent): Graph {
  const b = new GraphBuilder('take');
  b.output('rows', b.gather(b.input('from', [count, width]), b.input('positions', [size], 'i32')));
  return b.build();
}

/** `counts`: rows of each table. */
function sumGraph(counts: readonly number[], size: number, width: number): Graph {
  const b = new GraphBuilder('sum');
  const found = counts.map((count, at) =>
    b.mul(
      b.gather(b.input(`from.${at}`, [count, width]), b.input(`places.${at}`, [size], 'i32')),
      b.input(`scales.${at}`, [size, 1]),
    ),
  );
  b.output(
    'sum',
    found.reduce((total, one) => b.add(total, one)),
  );
  return b.build();
}

/** `fresh`: with a total of zeros. */
function scatterGraph({ size, count, width }: Extent, fresh: boolean): Graph {
  const b = new GraphBuilder('scatter');
  const scaled = b.mul(b.input('rows', [size, width]), b.input('scales', [size, 1]));
  const spread = b.scatterRows(b.input('places', [size], 'i32'), scaled, count);
  b.output('sum', fresh ? spread : b.add(b.input('total', [count, width]), spread));
  return b.build();
}

function multiplyGraph({ count, width }: Extent): Graph {
  const b = new GraphBuilder('multiply');
  b.output('product', b.mul(b.input('total', [count, width]), b.input('factors', [count, 1])));
  return b.build();
}
