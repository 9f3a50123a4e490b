import { list, number } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import { around } from '../../shape.js';
import { at, eachIndex, type Kernel, position } from './kernel.js';

export const reshape: Kernel = (inputs, outputs) => argument(outputs, 0).data.set(argument(inputs, 0).data);

export const detach: Kernel = reshape;

export const fence: Kernel = () => {};

export const transpose: Kernel = (inputs, outputs, attributes) => {
  const [x, y] = [argument(inputs, 0), argument(outputs, 0)];
  const order = list(attributes, 'perm');
  eachIndex(y.shape, (index, element) => {
    const source = x.shape.map((_, axis) => at(index, order.indexOf(axis)));
    y.data[element] = at(x.data, position(x.shape, source));
  });
};

/** Copies `x` into `y` along an axis: element `from` of x becomes element `to` of y, `count` times. */
function copyAxis(
  x: { shape: readonly number[]; data: Float64Array },
  y: { shape: readonly number[]; data: Float64Array },
  axis: number,
  from: number,
  to: number,
  count: number,
): void {
  const [source, target] = [around(x.shape, axis), around(y.shape, axis)];
  for (let outer = 0; outer < source.outer; outer++)
    for (let k = 0; k < count; k++) {
      const start = (outer * source.size + from + k) * source.inner;
      y.data.set(x.data.subarray(start, start + source.inner), (outer * target.size + to + k) * target.inner);
    }
}

export const slice: Kernel = (inputs, outputs, attributes) => {
  const [start, end] = [number(attributes, 'start'), number(attributes, 'end')];
  copyAxis(argument(inputs, 0), argument(outputs, 0), number(attributes, 'axis'), start, 0, end - start);
};

export const pad: Kernel = (inputs, outputs, attributes) => {
  const x = argument(inputs, 0);
  const axis = number(attributes, 'axis');
  copyAxis(x, argument(outputs, 0), axis, 0, number(attributes, 'before'), at(x.shape, axis));
};

export const concat: Kernel = (inputs, outputs, attributes) => {
  const axis = number(attributes, 'axis');
  let to = 0;
  for (const input of inputs) {
    copyAxis(input, argument(outputs, 0), axis, 0, to, at(input.shape, axis));
    to += at(input.shape, axis);
  }
};

export const gather: Kernel = (inputs, outputs) => {
  const [data, indices, out] = [argument(inputs, 0), argument(inputs, 1), argument(outputs, 0)];
  const { inner } = around(data.shape, 0);
  indices.data.forEach((row, index) => {
    out.data.set(data.data.subarray(row * inner, (row + 1) * inner), index * inner);
  });
};

export const scatterRows: Kernel = (inputs, outputs) => {
  const [indices, updates, out] = [argument(inputs, 0), argument(inputs, 1), argument(outputs, 0)];
  const { inner } = around(updates.shape, 0);
  updates.data.forEach((value, element) => {
    const target = at(indices.data, Math.floor(element / inner)) * inner + (element % inner);
    out.data[target] = at(out.data, target) + value;
  });
};

const alongAxis = (shape: readonly number[], index: readonly number[], axis: number, chosen: number) =>
  position(
    shape,
    index.map((value, at) => (at === axis ? chosen : value)),
  );

export const gatherElements: Kernel = (inputs, outputs, attributes) => {
  const [data, indices, out] = [argument(inputs, 0), argument(inputs, 1), argument(outputs, 0)];
  const axis = number(attributes, 'axis');
  eachIndex(indices.shape, (index, element) => {
    out.data[element] = at(data.data, alongAxis(data.shape, index, axis, at(indices.data, element)));
  });
};

export const scatterElements: Kernel = (inputs, outputs, attributes) => {
  const [data, indices, updates] = [argument(inputs, 0), argument(inputs, 1), argument(inputs, 2)];
  const out = argument(outputs, 0);
  const axis = number(attributes, 'axis');
  out.data.set(data.data);
  eachIndex(indices.shape, (index, element) => {
    const target = alongAxis(data.shape, index, axis, at(indices.data, element));
    out.data[target] = at(out.data, target) + at(updates.data, element);
  });
};
