/** An optimiser whose tensors lie on a device: what crosses in a step is a few numbers. */
import type { DeviceParameters } from '../models/decoder/types.js';
import { collect as collectGarbage } from '../tensor/garbage.js';
import { f32, type Shape, sizeOf } from '../tensor/shape.js';
import type {
  CompiledGraph,
  Graph,
  Memory,
  Runtime,
  Tensor,
  TensorBuffer,
  Tensors,
} from '../tensor/types.js';
import {
  type OptimizerOptions,
  type Rule,
  type RuleGraph,
  type RuleNumbers,
  type StateAccess,
  settingsOf,
} from './optimizers/index.js';
import type { Updater } from './optimizers/optimizer.js';
import { groupSize, PARAMETER, parameterGroups, squaresGraph, updateGraph } from './update-graphs.js';

interface DeviceRule {
  readonly rule: Rule;
  readonly graph: RuleGraph;
  readonly options: OptimizerOptions;
}

/** A parameter, its gradient and its state, by the names that the graph has for them. */
interface DeviceParameter {
  readonly name: string;
  readonly shape: Shape;
  readonly gradient: Tensor;
  /** What a step writes: the parameter and its state. */
  readonly written: Readonly<Record<string, Tensor>>;
}

/**
 * Updates parameters by graphs that run where the tensors are: a step sends its rate and scale, and fetches one norm.
 */
export function updaterOnDevice(runtime: Runtime, device: DeviceParameters, optimizer: DeviceRule): Updater {
  const { memory } = runtime;
  const tensors = tensorsOf(memory, device, optimizer.rule);
  const graphs = new GraphCache(runtime);
  const groups = parameterGroups(tensors.trained);
  // those that take most memory first: if there is too little, nothing has changed yet
  const inOrder = [...groups].sort((a, b) => groupSize(b) - groupSize(a));
  /** What was written from the host, in arrays that the library may share, is replaced by the first update. */
  let isWritten = true;
  return {
    state: tensors.state,
    norm: () => gradientNorm(memory, graphs, groups, tensors.total),
    async update(step, rate, gradientScale) {
      device.publish();
      const numbers = new DeviceNumbers(memory, optimizer, { step, rate, gradientScale });
      try {
        for (const group of inOrder) await updateGroup(graphs, optimizer, group, numbers);
      } finally {
        device.changed();
        numbers.release();
      }
      if (isWritten) collectGarbage();
      isWritten = false;
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

/** Global L2 norm, summed up in `total`. */
async function gradientNorm(
  memory: Memory,
  graphs: GraphCache,
  groups: readonly (readonly DeviceParameter[])[],
  total: Tensor,
): Promise<number> {
  memory.zero(total);
  for (const group of groups) {
    const shapes = group.map(({ shape }) => shape);
    await graphs.run(
      `squares ${shapes.join(' ')}`,
      () => squaresGraph(shapes),
      { ...gradientsOf(group), total },
      { total },
    );
  }
  return Math.sqrt(Number((await memory.read(total)).data[0]));
}

/** One run: the next values of a group's parameters and of their state, written over the last ones. */
async function updateGroup(
  graphs: GraphCache,
  { rule, graph }: DeviceRule,
  group: readonly DeviceParameter[],
  numbersOfStep: DeviceNumbers,
): Promise<void> {
  // a rule with a graph has the same state for every name
  const slots = Object.keys(rule.slots([], ''));
  const numbers = [...new Set(group.map((trained) => numbersOfStep.of(trained)))];
  const parts = group.map((trained) => ({
    shape: trained.shape,
    numbers: numbers.indexOf(numbersOfStep.of(trained)),
  }));
  const written = numbered(group.map((trained) => trained.written));
  await graphs.run(
    `update ${parts.map((part) => `${part.shape.join()}/${part.numbers}`).join(' ')}`,
    () => updateGraph(graph, slots, parts),
    { ...gradientsOf(group), ...written, ...numbered(numbers) },
    written,
  );
}

/** The numbers that the rule needs in one step, as tensors: parameters of the same rate and decay share theirs. */
class DeviceNumbers {
  private readonly tensors = new Map<string, Tensors>();

  constructor(
    private readonly memory: Memory,
    private readonly optimizer: DeviceRule,
    private readonly now: Readonly<Record<'step' | 'rate' | 'gradientScale', number>>,
  ) {}

  of({ name, shape }: DeviceParameter): Tensors {
    const { graph, options } = this.optimizer;
    const { step, rate, gradientScale } = this.now;
    const own = settingsOf(name, shape, options, rate);
    const key = `${own.rate} ${own.decay}`;
    const known =
      this.tensors.get(key) ??
      deviceNumbers(this.memory, graph.numbers({ options, step, gradientScale, ...own }));
    this.tensors.set(key, known);
    return known;
  }

  release(): void {
    for (const tensors of this.tensors.values())
      for (const tensor of Object.values(tensors)) this.memory.free(tensor);
  }
}

const gradientsOf = (group: readonly DeviceParameter[]): Tensors =>
  numbered(group.map(({ gradient }) => ({ gradient })));

/** Each tensor of a list under its names, with its number in the list. */
const numbered = (tensors: readonly Tensors[]): Tensors =>
  Object.fromEntries(
    tensors.flatMap((one, at) => Object.entries(one).map(([name, tensor]) => [`${name}.${at}`, tensor])),
  );

const deviceNumbers = (memory: Memory, values: RuleNumbers): Tensors =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `number.${name}`,
      memory.hold({ type: f32([]), data: Float32Array.of(value) }),
    ]),
  );

/** `total`: a number, for the sum of the gradients' squares. `collect` brings the state to the host until `forget`. */
function tensorsOf(memory: Memory, device: DeviceParameters, rule: Rule) {
  const buffers: TensorBuffer[] = [];
  const place = (shape: Shape, fill = 0): Tensor => {
    const buffer = memory.buffer();
    buffers.push(buffer);
    const tensor = buffer.tensor(f32(shape));
    memory.write([tensor], (data) => (data as Float32Array).fill(fill));
    return tensor;
  };
  const state = new Map<string, StateAccess>();
  const collected = new Map<Tensor, Float32Array>();
  const access = (name: string, tensor: Tensor, shape: Shape): StateAccess => ({
    type: 'f32',
    length: sizeOf(shape),
    read() {
      const values = collected.get(tensor);
      if (values === undefined) throw new Error(`${name} is not on the host`);
      return values;
    },
    write: (values) => memory.write([tensor], (data) => (data as Float32Array).set(values)),
  });
  const trained = [...device.values].map(([name, value]): DeviceParameter => {
    const gradient = device.gradients.get(name);
    if (gradient === undefined) throw new Error(`no gradient for ${name}`);
    const { shape } = value.type;
    const slots = Object.entries(rule.slots(shape, name)).map(([slot, { fill }]) => {
      const tensor = place(shape, fill);
      const own = `${slot}.${name}`;
      state.set(own, access(own, tensor, shape));
      return [slot, tensor] as const;
    });
    return { name, shape, gradient, written: { [PARAMETER]: value, ...Object.fromEntries(slots) } };
  });
  return {
    trained,
    state,
    total: place([]),
    async collect(): Promise<void> {
      for (const { written } of trained)
        for (const [name, tensor] of Object.entries(written))
          if (name !== PARAMETER && !collected.has(tensor))
            collected.set(tensor, (await memory.read(tensor)).data as Float32Array);
    },
    forget: () => collected.clear(),
    release(): void {
      for (const buffer of buffers) buffer.release();
    },
  };
}

class GraphCache {
  private readonly compiled = new Map<string, Promise<CompiledGraph>>();

  constructor(private readonly runtime: Runtime) {}

  /** Runs the graph of this key, which `build` gives the first time. */
  async run(key: string, build: () => Graph, inputs: Tensors, outputs: Tensors): Promise<void> {
    const known = this.compiled.get(key) ?? this.runtime.compile(build());
    this.compiled.set(key, known);
    await (await known).run(inputs, outputs);
  }

  async release(): Promise<void> {
    for (const one of this.compiled.values()) await (await one).release();
  }
}
