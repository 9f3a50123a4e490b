/** An optimiser whose tensors lie on a device: what crosses in a step is a few numbers. */
import type { TrainedOnDevice } from '../models/decoder/types.js';
import { GraphBuilder } from '../tensor/builder.js';
import type { Room } from '../tensor/memory.js';
import { f32, type Shape, sizeOf } from '../tensor/shape.js';
import type { CompiledGraph, Graph, Runtime, Tensor, Tensors } from '../tensor/types.js';
import {
  type OptimizerOptions,
  type Remembered,
  type Rule,
  type RuleGraph,
  type RuleNumbers,
  settingsOf,
} from './optimizers/index.js';
import type { Updater } from './updater.js';

export interface DeviceRule {
  readonly rule: Rule;
  readonly graph: RuleGraph;
  readonly options: OptimizerOptions;
}

/** A parameter, its gradient and what is remembered of it, by the names that the graph has for them. */
interface Trained {
  readonly name: string;
  readonly shape: Shape;
  readonly gradient: Tensor;
  /** What a step writes: the parameter and its state. */
  readonly written: Readonly<Record<string, Tensor>>;
}

const PARAMETER = 'parameter';

export function updaterOnDevice(
  runtime: Runtime,
  device: TrainedOnDevice,
  { rule, graph, options }: DeviceRule,
): Updater {
  const { memory } = runtime;
  const rooms: Room[] = [];
  const place = (shape: Shape, fill = 0): Tensor => {
    const room = memory.room();
    rooms.push(room);
    const tensor = room.tensor(f32(shape));
    memory.write([tensor], (data) => (data as Float32Array).fill(fill));
    return tensor;
  };
  const state = new Map<string, Remembered>();
  /** What was brought to the host, until it is let go of. */
  const collected = new Map<Tensor, Float32Array>();
  const trained = [...device.values].map(([name, value]): Trained => {
    const gradient = device.gradients.get(name);
    if (gradient === undefined) throw new Error(`no gradient for ${name}`);
    const { shape } = value.type;
    const slots = Object.entries(rule.slots(shape, name)).map(([slot, { fill }]) => {
      const tensor = place(shape, fill);
      state.set(`${slot}.${name}`, {
        ...{ type: 'f32', length: sizeOf(shape) },
        read() {
          const values = collected.get(tensor);
          if (values === undefined) throw new Error(`${slot}.${name} is not on the host`);
          return values;
        },
        write: (values) => memory.write([tensor], (data) => (data as Float32Array).set(values)),
      });
      return [slot, tensor] as const;
    });
    return { name, shape, gradient, written: { [PARAMETER]: value, ...Object.fromEntries(slots) } };
  });
  // the one that takes most memory first: if there is too little, nothing has changed yet
  const inOrder = [...trained].sort((a, b) => sizeOf(b.shape) - sizeOf(a.shape));

  const total = place([]);
  const compiled = new Map<string, Promise<CompiledGraph>>();
  const run = async (build: (shape: Shape) => Graph, shape: Shape, inputs: Tensors, outputs: Tensors) => {
    const key = `${build.name} ${shape.join()}`;
    const known = compiled.get(key) ?? runtime.compile(build(shape));
    compiled.set(key, known);
    await (await known).run(inputs, outputs);
  };
  // a rule with a graph remembers the same of every name
  const updating = (shape: Shape): Graph => updateGraph(graph, Object.keys(rule.slots(shape, '')), shape);

  return {
    state,
    async norm() {
      memory.write([total], (data) => (data as Float32Array).fill(0));
      for (const { gradient, shape } of trained)
        await run(squaresGraph, shape, { gradient, total }, { total });
      return Math.sqrt(Number((await memory.read(total)).data[0]));
    },
    async update(step, rate, gradientScale) {
      device.publish();
      const numbers = new Map<string, Tensors>();
      try {
        for (const { name, shape, gradient, written } of inOrder) {
          const own = settingsOf(name, shape, options, rate);
          const key = `${own.rate} ${own.decay}`;
          const held =
            numbers.get(key) ?? heldNumbers(graph.numbers({ options, step, gradientScale, ...own }));
          numbers.set(key, held);
          await run(updating, shape, { gradient, ...written, ...held }, written);
        }
      } finally {
        device.changed();
        for (const held of numbers.values()) for (const tensor of Object.values(held)) memory.free(tensor);
      }
    },
    async collect() {
      await device.collect();
      for (const { written } of trained)
        for (const [name, tensor] of Object.entries(written))
          if (name !== PARAMETER && !collected.has(tensor))
            collected.set(tensor, (await memory.read(tensor)).data as Float32Array);
    },
    forget: () => collected.clear(),
    async release() {
      for (const room of rooms) room.release();
      for (const one of compiled.values()) await (await one).release();
    },
  };

  function heldNumbers(values: RuleNumbers): Tensors {
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        `number.${name}`,
        memory.hold({ type: f32([]), data: Float32Array.of(value) }),
      ]),
    );
  }
}

/** Adds the sum of a gradient's squares, row by row: a float32 that thousands are added to rounds less. */
function squaresGraph(shape: Shape): Graph {
  const b = new GraphBuilder('squares');
  const gradient = b.input('gradient', shape);
  const sum = [...shape.keys()]
    .reverse()
    .reduce((left, axis) => b.sum(left, [axis], false), b.mul(gradient, gradient));
  b.output('total', b.add(b.input('total', []), sum));
  return b.build();
}

/** What writes a parameter of this shape and its state anew; `names` are those of the state. */
export function updateGraph(graph: RuleGraph, names: readonly string[], shape: Shape): Graph {
  const b = new GraphBuilder('update');
  const gradient = b.input('gradient', shape);
  const parameter = b.input(PARAMETER, shape);
  const slots = Object.fromEntries(names.map((name) => [name, b.input(name, shape)]));
  const number = (name: string) => b.input(`number.${name}`, []);
  const results = graph.build(b, { parameter, gradient, slots, number });
  b.output(PARAMETER, results.parameter);
  for (const [name, value] of Object.entries(results.slots)) b.output(name, value);
  return b.build();
}
