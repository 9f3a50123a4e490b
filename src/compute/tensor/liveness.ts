/**
 * Where each intermediate value of a graph lies in one stretch of scratch memory, under the runtime's own order:
 * an elementwise op overwrites an input at its last use, a view lies where its source lies, and values that are
 * never alive together share bytes. The runtime uses the same plan as the planner.
 */
import { argument } from './ops/definition.js';
import { OPS } from './ops/index.js';
import { arrange, executionOrder } from './order.js';
import { bytesOf, sameShape } from './shape.js';
import type { Graph, Node, ValueId } from './types.js';
import { countUses } from './uses.js';

interface MemoryPlan {
  /** Length of the stretch. */
  readonly bytes: number;
  /** Byte offset of each value that is computed into it; views are not listed. */
  readonly offsets: ReadonlyMap<ValueId, number>;
  /** The output in whose memory a value lies that it overwrites at its end: a sum that products are added to. */
  readonly inOutputs: ReadonlyMap<ValueId, ValueId>;
}

/** Values that share one place because one overwrites, or is a view of, the other. */
interface Allocation {
  readonly bytes: number;
  /** Steps from the first write to the last read. */
  readonly first: number;
  last: number;
  /** Reads still to come. */
  uses: number;
  readonly values: ValueId[];
  offset: number;
  /** The output whose memory this is, from the first write on. */
  output?: ValueId;
}

/** Cache lines and vector registers want this. */
const ALIGNMENT = 64;

/** Values of fewer than `smallest` bytes are left to the runtime. Inputs, constants and outputs are the caller's. */
export function planMemory(graph: Graph, smallest = 0): MemoryPlan {
  const all = allocations(graph).filter(({ bytes }) => bytes >= smallest);
  const places = all.filter(({ output }) => output === undefined);
  let bytes = 0;
  // the largest first: the small ones fit into the gaps
  const placed: Allocation[] = [];
  for (const place of [...places].sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    const rivals = placed
      .filter((other) => other.first <= place.last && place.first <= other.last)
      .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const rival of rivals) {
      if (offset + place.bytes <= rival.offset) break;
      offset = Math.max(offset, rival.offset + rival.bytes);
    }
    place.offset = offset;
    bytes = Math.max(bytes, offset + place.bytes);
    placed.push(place);
  }
  return {
    bytes,
    offsets: new Map(places.flatMap(({ values, offset }) => values.map((value) => [value, offset]))),
    inOutputs: new Map(
      all.flatMap(({ values, output }) =>
        output === undefined ? [] : values.map((value) => [value, output]),
      ),
    ),
  };
}

/** Bytes that exist only while a graph runs. */
export const transientBytes = (graph: Graph): number => planMemory(graph).bytes + largestWorkspace(graph);

function largestWorkspace(graph: Graph): number {
  const typeOf = (value: ValueId) => argument(graph.types, value);
  return Math.max(
    0,
    ...graph.nodes.map((node) => {
      const rule = OPS[node.op].memory?.workspace;
      return rule?.(node.inputs.map(typeOf), node.outputs.map(typeOf), node.attributes) ?? 0;
    }),
  );
}

function allocations(graph: Graph): readonly Allocation[] {
  const order = executionOrder<ValueId, Node>(arrange<ValueId, Node>(graph.nodes));
  const uses = countUses(graph);
  const outputs = new Set(graph.outputs.map(({ value }) => value));
  const typeOf = (value: ValueId) => argument(graph.types, value);
  const places: Allocation[] = [];
  /** No entry: the value lies in memory of the caller. */
  const home = new Map<ValueId, Allocation>();

  const overwritten = (node: Node, position: number, value: ValueId): Allocation | undefined => {
    const inPlace = position === 0 ? (OPS[node.op].memory?.inPlace ?? []) : [];
    return inPlace
      .filter((index) => index < node.inputs.length)
      .filter((index) => sameShape(typeOf(argument(node.inputs, index)).shape, typeOf(value).shape))
      .map((index) => home.get(argument(node.inputs, index)))
      .find((place) => place?.uses === 1);
  };
  const claim = (node: Node, position: number, value: ValueId, step: number): Allocation => {
    const type = typeOf(value);
    const taken = overwritten(node, position, value);
    if (taken !== undefined) return taken;
    const bytes = Math.ceil(bytesOf(type) / ALIGNMENT) * ALIGNMENT;
    const fresh: Allocation = { bytes, first: step, last: step, uses: 0, values: [], offset: 0 };
    places.push(fresh);
    return fresh;
  };

  order.forEach((node, step) => {
    const alias = OPS[node.op].memory?.alias;
    node.outputs.forEach((value, position) => {
      if (outputs.has(value)) {
        // other ops may read, element by element, an input whose memory the caller has their output written to
        const sum = node.op === 'gemm' ? overwritten(node, position, value) : undefined;
        if (sum !== undefined) sum.output = value;
        return;
      }
      const view = alias === undefined ? undefined : argument(node.inputs, alias);
      const place = view === undefined ? claim(node, position, value, step) : home.get(view);
      // a view of the caller's memory is the caller's memory
      if (place === undefined) return;
      place.uses += uses.get(value) ?? 0;
      place.last = step;
      if (view === undefined) place.values.push(value);
      home.set(value, place);
    });
    for (const input of node.inputs) {
      const place = home.get(input);
      if (place === undefined) continue;
      place.last = step;
      place.uses -= 1;
    }
  });
  return places;
}
