/** An optimiser whose tensors lie on a device: what crosses in a step is a few numbers. */
import type { TrainedOnDevice } from '../models/decoder/types.js';
import { GraphBuilder } from '../tensor/builder.js';
import type { Memory, Room } from '../tensor/memory.js';
import { f32, type Shape, sizeOf } from '../tensor/shape.js';
import type { CompiledGraph, Graph, Runtime, Tensor, Tensors, ValueId } from '../tensor/types.js';
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

/** Numbers that are updated together at most, unless one parameter alone has more. */
const TOGETHER = 2 ** 18;

/**
 * What one run updates: parameters of one block, since a run of each alone takes longer to begin than to compute, and
 * blocks of one kind share a graph. Cut where more would take more memory than is worth while.
 */
export function updatedTogether<T extends { readonly name: string; readonly shape: Shape }>(
  trained: Iterable<T>,
): readonly (readonly T[])[] {
  const groups: T[][] = [];
  let [block, size] = ['', 0];
  for (const one of trained) {
    const own = /\d+/.exec(one.name)?.[0] ?? one.name;
    size += sizeOf(one.shape);
    if (own === block && size <= TOGETHER) groups.at(-1)?.push(one);
    else groups.push([one]);
    if (groups.at(-1)?.length === 1) size = sizeOf(one.shape);
    block = own;
  }
  return groups;
}

export const sizeTogether = (group: readonly { readonly shape: Shape }[]): number =>
  group.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

export function updaterOnDevice(
  runtime: Runtime,
  device: TrainedOnDevice,
  { rule, graph, options }: DeviceRule,
): Updater {
  const { memory } = runtime;
  const tensors = tensorsOf(memory, device, rule);
  const graphs = compiledOnce(runtime);
  const groups = updatedTogether(tensors.trained);
  // those that take most memory first: if there is too little, nothing has changed yet
  const inOrder = [...groups].sort((a, b) => sizeTogether(b) - sizeTogether(a));
  // a rule with a graph remembers the same of every name
  const slots = Object.keys(rule.slots([], ''));

  async function norm(): Promise<number> {
    const { total } = tensors;
    memory.zero(total);
    for (const group of groups) {
      const shapes = group.map(({ shape }) => shape);
      await graphs.run(
        `squares ${shapes.join(' ')}`,
        () => squaresGraph(shapes),
        { ...numbered(group.map(({ gradient }) => ({ gradient }))), total },
        { total },
      );
    }
    return Math.sqrt(Number((await memory.read(total)).data[0]));
  }

  /** `held`: the tensors of a parameter's rate and decay, by both. */
  async function updateGroup(
    group: readonly Trained[],
    held: (trained: Trained) => readonly [key: string, Tensors],
  ): Promise<void> {
    const own = group.map(held);
    const numbers = [...new Map(own)];
    const keys = numbers.map(([key]) => key);
    const parts = group.map(({ shape }, at) => ({ shape, numbers: keys.indexOf(own[at]?.[0] ?? '') }));
    const written = numbered(group.map((one) => one.written));
    await graphs.run(
      `update ${parts.map((one) => `${one.shape.join()}/${one.numbers}`).join(' ')}`,
      () => updateGraph(graph, slots, parts),
      {
        ...numbered(group.map(({ gradient }) => ({ gradient }))),
        ...written,
        ...numbered(numbers.map(([, one]) => one)),
      },
      written,
    );
  }

  return {
    state: tensors.state,
    norm,
    async update(step, rate, gradientScale) {
      device.publish();
      const numbers = new Map<string, Tensors>();
      const held = ({ name, shape }: Trained): readonly [string, Tensors] => {
        const own = settingsOf(name, shape, options, rate);
        const key = `${own.rate} ${own.decay}`;
        const known =
          numbers.get(key) ?? heldNumbers(memory, graph.numbers({ options, step, gradientScale, ...own }));
        numbers.set(key, known);
        return [key, known];
      };
      try {
        for (const group of inOrder) await updateGroup(group, held);
      } finally {
        device.changed();
        for (const one of numbers.values()) for (const tensor of Object.values(one)) memory.free(tensor);
      }
    },
    async collect() {
      await device.collect();
      await tensors.collect();
    },
    forget: tensors.forget,
    async release() {
      tensors.release();
      await graphs.release();
    },
  };
}

/** Each tensor of a list under its names, with its number in the list. */
const numbered = (tensors: readonly Tensors[]): Tensors =>
  Object.fromEntries(
    tensors.flatMap((one, at) => Object.entries(one).map(([name, tensor]) => [`${name}.${at}`, tensor])),
  );

const heldNumbers = (memory: Memory, values: RuleNumbers): Tensors =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `number.${name}`,
      memory.hold({ type: f32([]), data: Float32Array.of(value) }),
    ]),
  );

interface DeviceTensors {
  readonly trained: readonly Trained[];
  readonly state: ReadonlyMap<string, Remembered>;
  /** A number, for the sum of the gradients' squares. */
  readonly total: Tensor;
  /** Brings the state to the host, where it can be read until `forget`. */
  collect(): Promise<void>;
  forget(): void;
  release(): void;
}

function tensorsOf(memory: Memory, device: TrainedOnDevice, rule: Rule): DeviceTensors {
  const rooms: Room[] = [];
  const place = (shape: Shape, fill = 0): Tensor => {
    const room = memory.room();
    rooms.push(room);
    const tensor = room.tensor(f32(shape));
    memory.write([tensor], (data) => (data as Float32Array).fill(fill));
    return tensor;
  };
  const state = new Map<string, Remembered>();
  const collected = new Map<Tensor, Float32Array>();
  const remembered = (name: string, tensor: Tensor, shape: Shape): Remembered => ({
    type: 'f32',
    length: sizeOf(shape),
    read() {
      const values = collected.get(tensor);
      if (values === undefined) throw new Error(`${name} is not on the host`);
      return values;
    },
    write: (values) => memory.write([tensor], (data) => (data as Float32Array).set(values)),
  });
  const trained = [...device.values].map(([name, value]): Trained => {
    const gradient = device.gradients.get(name);
    if (gradient === undefined) throw new Error(`no gradient for ${name}`);
    const { shape } = value.type;
    const slots = Object.entries(rule.slots(shape, name)).map(([slot, { fill }]) => {
      const tensor = place(shape, fill);
      const own = `${slot}.${name}`;
      state.set(own, remembered(own, tensor, shape));
      return [slot, tensor] as const;
    });
    return { name, shape, gradient, written: { [PARAMETER]: value, ...Object.fromEntries(slots) } };
  });
  return {
    trained,
    state,
    total: place([]),
    async collect() {
      for (const { written } of trained)
        for (const [name, tensor] of Object.entries(written))
          if (name !== PARAMETER && !collected.has(tensor))
            collected.set(tensor, (await memory.read(tensor)).data as Float32Array);
    },
    forget: () => collected.clear(),
    release() {
      for (const room of rooms) room.release();
    },
  };
}

interface Graphs {
  /** Runs the graph of this key, which `build` gives the first time. */
  run(key: string, build: () => Graph, inputs: Tensors, outputs: Tensors): Promise<void>;
  release(): Promise<void>;
}

function compiledOnce(runtime: Runtime): Graphs {
  const compiled = new Map<string, Promise<CompiledGraph>>();
  return {
    async run(key, build, inputs, outputs) {
      const known = compiled.get(key) ?? runtime.compile(build());
      compiled.set(key, known);
      await (await known).run(inputs, outputs);
    },
    async release() {
      for (const one of compiled.values()) await (await one).release();
    },
  };
}

/** Adds the sums of gradients' squares, row by row: a float32 that thousands are added to rounds less. */
function squaresGraph(shapes: readonly Shape[]): Graph {
  const b = new GraphBuilder('squares');
  const squares = shapes.map((shape, at) => {
    const gradient = b.input(`gradient.${at}`, shape);
    return [...shape.keys()]
      .reverse()
      .reduce((left, axis) => b.sum(left, [axis], false), b.mul(gradient, gradient));
  });
  b.output(
    'total',
    squares.reduce((sum, one) => b.add(sum, one), b.input('total', [])),
  );
  return b.build();
}

/** A parameter that a graph updates; `numbers` says which of the settings it has. */
interface UpdatedPart {
  readonly shape: Shape;
  readonly numbers?: number;
}

/** What writes parameters and their state anew; `names` are those of the state. */
export function updateGraph(
  graph: RuleGraph,
  names: readonly string[],
  parts: readonly UpdatedPart[],
): Graph {
  const b = new GraphBuilder('update');
  const known = new Map<string, ValueId>();
  for (const [at, { shape, numbers = 0 }] of parts.entries()) {
    const input = (name: string) => b.input(`${name}.${at}`, shape);
    const [gradient, parameter] = [input('gradient'), input(PARAMETER)];
    const slots = Object.fromEntries(names.map((name) => [name, input(name)]));
    const number = (name: string): ValueId => {
      const key = `number.${name}.${numbers}`;
      const value = known.get(key) ?? b.input(key, []);
      known.set(key, value);
      return value;
    };
    const results = graph.build(b, { parameter, gradient, slots, number });
    b.output(`${PARAMETER}.${at}`, results.parameter);
    for (const [name, value] of Object.entries(results.slots)) b.output(`${name}.${at}`, value);
  }
  return b.build();
}
