import { flag, number } from '../../attributes.js';
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

export const softmax: Kernel = (inputs, outputs) => {
  const [x, y] = [argument(inputs, 0), argument(outputs, 0)];
  const width = at(x.shape, x.shape.length - 1);
  for (let start = 0; start < x.data.length; start += width) {
    const row = x.data.subarray(start, start + width);
    const top = Math.max(...row);
    const powers = row.map((value) => Math.exp(value - top));
    const total = powers.reduce((sum, value) => sum + value, 0);
    y.data.set(
      powers.map((value) => value / total),
      start,
    );
  }
};

export const logSoftmax: Kernel = (inputs, outputs) => {
  const [x, y] = [argument(inputs, 0), argument(outputs, 0)];
  const width = at(x.shape, x.shape.length - 1);
  for (let start = 0; start < x.data.length; start += width) {
    const row = x.data.subarray(start, start + width);
    const top = Math.max(...row);
    const norm = top + Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0));
    y.data.set(
      row.map((value) => value - norm),
      start,
    );
  }
};

export const rmsNorm: Kernel = (inputs, outputs, attributes) => {
  const [x, weight] = [argument(inputs, 0), argument(inputs, 1)];
  const [y, inv] = [argument(outputs, 0), argument(outputs, 1)];
  const width = at(x.shape, x.shape.length - 1);
  inv.data.forEach((_, row) => {
    const values = x.data.subarray(row * width, (row + 1) * width);
    const square = values.reduce((sum, value) => sum + value * value, 0) / width;
    const scale = 1 / Math.sqrt(square + number(attributes, 'epsilon'));
    inv.data[row] = scale;
    y.data.set(
      values.map((value, column) => value * scale * at(weight.data, column)),
      row * width,
    );
  });
};

export const layerNorm: Kernel = (inputs, outputs, attributes) => {
  const [x, weight, bias] = [argument(inputs, 0), argument(inputs, 1), argument(inputs, 2)];
  const [y, mean, inv] = [argument(outputs, 0), argument(outputs, 1), argument(outputs, 2)];
  const width = at(x.shape, x.shape.length - 1);
  inv.data.forEach((_, row) => {
    const values = x.data.subarray(row * width, (row + 1) * width);
    const middle = values.reduce((sum, value) => sum + value, 0) / width;
    const square = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / width;
    const scale = 1 / Math.sqrt(square + number(attributes, 'epsilon'));
    mean.data[row] = middle;
    inv.data[row] = scale;
    y.data.set(
      values.map(
        (value, column) => (value - middle) * scale * at(weight.data, column) + at(bias.data, column),
      ),
      row * width,
    );
  });
};

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
