/** Reverse-mode differentiation: emits the gradient nodes after the nodes they differentiate. */
import type { GraphBuilder } from './builder.js';
import { argument } from './ops/definition.js';
import { OPS } from './ops/index.js';
import { GraphError, sameShape } from './shape.js';
import type { Node, ValueId } from './types.js';

interface Seed {
  readonly value: ValueId;
  /** Gradient of the loss with respect to `value`, of its shape. */
  readonly gradient: ValueId;
}

/** A node, or several that are differentiated together. */
interface Step extends Pick<Node, 'inputs' | 'outputs'> {
  readonly gradient: (
    upstream: readonly (ValueId | undefined)[],
    needs: readonly boolean[],
  ) => readonly (ValueId | undefined)[];
}

function stepsOf(builder: GraphBuilder): Step[] {
  const steps: Step[] = [];
  const composites = new Map(builder.composites.map((composite) => [composite.first, composite]));
  const { nodes } = builder;
  for (let at = 0; at < nodes.length; at++) {
    const composite = composites.get(at);
    if (composite === undefined) {
      steps.push(stepOf(builder, argument(nodes, at)));
      continue;
    }
    const { inputs, output, gradient, end } = composite;
    const rule: Step['gradient'] = ([dy], needs) => (dy === undefined ? [] : gradient(dy, needs));
    steps.push({ inputs, outputs: [output], gradient: rule });
    at = end - 1;
  }
  return steps;
}

function stepOf(builder: GraphBuilder, node: Node): Step {
  const gradient: Step['gradient'] = (upstream, needs) => {
    const rule = OPS[node.op].gradient;
    if (rule === undefined) throw new GraphError(`${node.op} has no gradient`);
    return rule({ builder, ...node, gradients: upstream, needs });
  };
  return { inputs: node.inputs, outputs: node.outputs, gradient };
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
  const steps = stepsOf(builder);
  const depends = new Set(wanted);
  for (const { inputs, outputs } of steps) {
    if (!inputs.some((input) => depends.has(input))) continue;
    for (const output of outputs) if (builder.typeOf(output).dtype === 'f32') depends.add(output);
  }

  const known = new Map<ValueId, ValueId>();
  const accumulate = (value: ValueId, gradient: ValueId) => {
    if (!sameShape(builder.shapeOf(value), builder.shapeOf(gradient)))
      throw new GraphError(`gradient [${builder.shapeOf(gradient)}] of a value [${builder.shapeOf(value)}]`);
    const before = known.get(value);
    known.set(value, before === undefined ? gradient : builder.add(before, gradient));
  };
  for (const { value, gradient } of seeds) accumulate(value, gradient);

  for (const { inputs, outputs, gradient: rule } of steps.reverse()) {
    const upstream = outputs.map((output) => known.get(output));
    const needs = inputs.map((input) => depends.has(input));
    if (upstream.every((gradient) => gradient === undefined) || !needs.includes(true)) continue;
    rule(upstream, needs).forEach((gradient, index) => {
      if (gradient !== undefined && needs[index]) accumulate(argument(inputs, index), gradient);
    });
  }
  return wanted.map((value) => known.get(value));
}
