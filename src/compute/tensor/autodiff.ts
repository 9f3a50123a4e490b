/** Reverse-mode differentiation: emits the gradient nodes after the nodes they differentiate. */
import type { GraphBuilder } from './builder.js';
import { argument } from './ops/definition.js';
import { OPS } from './ops/index.js';
import { GraphError, sameShape } from './shape.js';
import type { ValueId } from './types.js';

interface Seed {
  readonly value: ValueId;
  /** Gradient of the loss with respect to `value`, of its shape. */
  readonly gradient: ValueId;
}

/**
 * Gradients of `wanted`; `undefined` for a value on which no seed depends.
 * Work that no wanted gradient needs is not emitted: a frozen weight costs no product.
 */
export function gradients(
  builder: GraphBuilder,
  seeds: readonly Seed[],
  wanted: readonly ValueId[],
): readonly (ValueId | undefined)[] {
  const nodes = [...builder.nodes];
  const depends = new Set(wanted);
  for (const node of nodes) {
    if (!node.inputs.some((input) => depends.has(input))) continue;
    for (const output of node.outputs) if (builder.typeOf(output).dtype === 'f32') depends.add(output);
  }

  const known = new Map<ValueId, ValueId>();
  const accumulate = (value: ValueId, gradient: ValueId) => {
    if (!sameShape(builder.shapeOf(value), builder.shapeOf(gradient)))
      throw new GraphError(`gradient [${builder.shapeOf(gradient)}] of a value [${builder.shapeOf(value)}]`);
    const before = known.get(value);
    known.set(value, before === undefined ? gradient : builder.add(before, gradient));
  };
  for (const { value, gradient } of seeds) accumulate(value, gradient);

  for (const node of nodes.reverse()) {
    const upstream = node.outputs.map((output) => known.get(output));
    const needs = node.inputs.map((input) => depends.has(input));
    if (upstream.every((gradient) => gradient === undefined) || !needs.includes(true)) continue;
    const rule = OPS[node.op].gradient;
    if (rule === undefined) throw new GraphError(`${node.op} has no gradient`);
    const results = rule({ builder, ...node, gradients: upstream, needs });
    results.forEach((gradient, index) => {
      if (gradient !== undefined && needs[index]) accumulate(argument(node.inputs, index), gradient);
    });
  }
  return wanted.map((value) => known.get(value));
}
