/** Products, reductions, and what goes by rows. */
import { flag, list, number } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import { at, broadcastPosition, eachIndex, type Kernel, position } from './kernel.js';

const swapLast = (index: readonly number[]) => [
  ...index.slice(0, -2),
  at(index, index.length - 1),
  at(index, index.length - 2),
];

export const matmul: Kernel = (inputs, outputs, attributes) => {
  const [a, b, out] = [argument(inputs, 0), argument(inputs, 1), argument(outputs, 0)];
  const [transA, transB] = [flag(attributes, 'transA'), flag(attributes, 'transB')];
  const inner = at(a.shape, a.shape.length - (transA ? 2 : 1));
  eachIndex(out.shape, (index, element) => {
    const [lead, row, column] = [
      index.slice(0, -2),
      at(index, index.length - 2),
      at(index, index.length - 1),
    ];
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      const left = [...lead, row, k];
      const right = [...lead, k, column];
      sum +=
        at(a.data, position(a.shape, transA ? swapLast(left) : left)) *
        at(b.data, broadcastPosition(b, transB ? swapLast(right) : right));
    }
    out.data[element] = sum * number(attributes, 'alpha');
  });
};

export const gemm: Kernel = (inputs, outputs, attributes, types) => {
  matmul(inputs.slice(0, 2), outputs, attributes, types);
  const [addend, out] = [argument(inputs, 2), argument(outputs, 0)];
  addend.data.forEach((value, index) => {
    out.data[index] = at(out.data, index) + value;
  });
};

export const adapted: Kernel = (inputs, outputs, attributes, types) =>
  matmul(inputs.slice(0, 2), outputs, { transB: flag(attributes, 'transB'), transA: false, alpha: 1 }, types);

/** Each row of the first input along the last axis; `compute` gives that of the first output. */
const byRow =
  (compute: (values: Float64Array, row: number, ...rest: Parameters<Kernel>) => Float64Array): Kernel =>
  (inputs, outputs, ...rest) => {
    const [x, y] = [argument(inputs, 0), argument(outputs, 0)];
    const width = at(x.shape, x.shape.length - 1);
    for (let row = 0; row * width < x.data.length; row++) {
      const values = x.data.subarray(row * width, (row + 1) * width);
      y.data.set(compute(values, row, inputs, outputs, ...rest), row * width);
    }
  };

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

export const softmax = byRow((row) => {
  const top = Math.max(...row);
  const powers = row.map((value) => Math.exp(value - top));
  const whole = total(powers);
  return powers.map((value) => value / whole);
});

export const logSoftmax = byRow((row) => {
  const top = Math.max(...row);
  const norm = top + Math.log(total(row.map((value) => Math.exp(value - top))));
  return row.map((value) => value - norm);
});

export const rmsNorm = byRow((values, row, inputs, outputs, attributes) => {
  const [weight, inv] = [argument(inputs, 1), argument(outputs, 1)];
  const square = total(values.map((value) => value * value)) / values.length;
  const scale = 1 / Math.sqrt(square + number(attributes, 'epsilon'));
  inv.data[row] = scale;
  return values.map((value, column) => value * scale * at(weight.data, column));
});

export const layerNorm = byRow((values, row, inputs, outputs, attributes) => {
  const [weight, bias] = [argument(inputs, 1), argument(inputs, 2)];
  const middle = total(values) / values.length;
  const square = total(values.map((value) => (value - middle) ** 2)) / values.length;
  const scale = 1 / Math.sqrt(square + number(attributes, 'epsilon'));
  argument(outputs, 1).data[row] = middle;
  argument(outputs, 2).data[row] = scale;
  return values.map(
    (value, column) => (value - middle) * scale * at(weight.data, column) + at(bias.data, column),
  );
});

export const rotary: Kernel = (inputs, outputs, attributes) => {
  const [x, cos, sin, y] = [
    argument(inputs, 0),
    argument(inputs, 1),
    argument(inputs, 2),
    argument(outputs, 0),
  ];
  const width = at(x.shape, 2) / number(attributes, 'heads');
  const half = width / 2;
  eachIndex(x.shape, (index, element) => {
    const [batch, seq, column] = [at(index, 0), at(index, 1), at(index, 2) % width];
    const angle = [batch, seq, column % half];
    const [c, s] = [at(cos.data, broadcastPosition(cos, angle)), at(sin.data, broadcastPosition(sin, angle))];
    const here = at(x.data, element);
    y.data[element] =
      column < half ? here * c - at(x.data, element + half) * s : here * c + at(x.data, element - half) * s;
  });
};

const reduction =
  (start: number, fold: (sum: number, value: number) => number): Kernel =>
  (inputs, outputs, attributes) => {
    const [x, y] = [argument(inputs, 0), argument(outputs, 0)];
    const axes = list(attributes, 'axes');
    const rest = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    y.data.fill(start);
    eachIndex(x.shape, (index, element) => {
      let target = 0;
      index.forEach((value, axis) => {
        target = target * at(rest, axis) + (axes.includes(axis) ? 0 : value);
      });
      y.data[target] = fold(at(y.data, target), at(x.data, element));
    });
  };

export const sum = reduction(0, (total, value) => total + value);
export const max = reduction(Number.NEGATIVE_INFINITY, Math.max);
export const mean: Kernel = (inputs, outputs, attributes, types) => {
  sum(inputs, outputs, attributes, types);
  const [x, y] = [argument(inputs, 0), argument(outputs, 0)];
  const count = x.data.length / y.data.length;
  y.data.forEach((value, index) => {
    y.data[index] = value / count;
  });
};
