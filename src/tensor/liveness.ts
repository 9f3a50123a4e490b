/**
 * Bytes of intermediate values over the run of a graph, under the runtime's own order and its own rules for
 * reuse (`PlannerImpl`, onnxruntime/core/framework/allocation_planner.cc): an elementwise op overwrites an input
 * at its last use; a view shares its source's buffer; a dead buffer is handed to the next value of the same
 * shape, and is held until then.
 */
import { argument } from './ops/definition.js';
import { isOp, OPS } from './ops/index.js';
import { arrange, executionOrder } from './order.js';
import { bytesOf, sameShape } from './shape.js';
import { countUses } from './simplify.js';
import type { Graph, Node, TensorType, ValueId } from './types.js';

interface Buffer {
  readonly type: TensorType;
  readonly bytes: number;
  readonly first: number;
  last: number;
  /** Reads that are still to come, of all values that live in it. */
  uses: number;
}

/** Most bytes of intermediates and workspaces at one time. Inputs, constants and outputs are the caller's. */
export function transientBytes(graph: Graph): number {
  const order = executionOrder(arrange(graph));
  const { buffers, workspaces } = assign(graph, order);
  const change = new Array<number>(order.length + 2).fill(0);
  for (const { bytes, first, last } of buffers) {
    change[first] = (change[first] ?? 0) + bytes;
    change[last + 1] = (change[last + 1] ?? 0) - bytes;
  }
  let [alive, peak] = [0, 0];
  for (let step = 0; step < order.length; step++) {
    alive += change[step] ?? 0;
    peak = Math.max(peak, alive + (workspaces[step] ?? 0));
  }
  return peak;
}

function assign(
  graph: Graph,
  order: readonly Node[],
): { buffers: readonly Buffer[]; workspaces: readonly number[] } {
  const uses = countUses(graph);
  const outputs = new Set(graph.outputs.map(({ value }) => value));
  const typeOf = (value: ValueId) => argument(graph.types, value);
  const buffers: Buffer[] = [];
  const free: Buffer[] = [];
  /** No entry: the value lies in memory of the caller. */
  const home = new Map<ValueId, Buffer>();

  const claim = (node: Node, position: number, value: ValueId, step: number): Buffer | undefined => {
    const rule = isOp(node.op) ? OPS[node.op].memory : {};
    const type = typeOf(value);
    if (position === 0) {
      // a view of the caller's memory is the caller's memory
      if (rule.alias !== undefined) return home.get(argument(node.inputs, rule.alias));
      for (const index of rule.inPlace ?? []) {
        const input = argument(node.inputs, index);
        const buffer = home.get(input);
        if (buffer?.uses === 1 && sameShape(typeOf(input).shape, type.shape)) return buffer;
      }
    }
    const dead = free.findLastIndex(
      (buffer) => buffer.type.dtype === type.dtype && sameShape(buffer.type.shape, type.shape),
    );
    if (dead >= 0) return free.splice(dead, 1)[0];
    const fresh: Buffer = { type, bytes: bytesOf(type), first: step, last: step, uses: 0 };
    buffers.push(fresh);
    return fresh;
  };

  const workspaces = order.map((node, step) => {
    node.outputs.forEach((value, position) => {
      if (outputs.has(value)) return;
      const buffer = claim(node, position, value, step);
      if (buffer === undefined) return;
      buffer.uses += uses.get(value) ?? 0;
      buffer.last = step;
      home.set(value, buffer);
    });
    for (const input of node.inputs) {
      const buffer = home.get(input);
      if (buffer === undefined) continue;
      buffer.last = step;
      buffer.uses -= 1;
      if (buffer.uses === 0) free.push(buffer);
    }
    for (const value of node.outputs) {
      const buffer = home.get(value);
      if (buffer?.uses === 0) free.push(buffer);
    }
    const rule = isOp(node.op) ? OPS[node.op].memory.workspace : undefined;
    return rule?.(node.inputs.map(typeOf), node.outputs.map(typeOf), node.attributes) ?? 0;
  });
  return { buffers, workspaces };
}
