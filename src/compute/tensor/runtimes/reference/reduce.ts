import { list } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import { at, eachIndex, type Kernel } from './kernel.js';

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
