/** What the loop, the checkpoints and the planner know of an optimiser. */
import type { GraphBuilder } from '../../tensor/builder.js';
import type { ValueId } from '../../tensor/types.js';

interface Parameter {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

type Parameters = ReadonlyMap<string, Parameter>;

/** A tensor of an optimiser's state: numbers, or the codes of an 8-bit state. */
export type StateTensor = Float32Array | Uint8Array;

/** A tensor of the state, wherever it is kept. */
export interface StateAccess {
  readonly type: Slot['type'];
  readonly length: number;
  /** What it holds now; to be read, and only until the next step. */
  read(): StateTensor;
  write(values: StateTensor): void;
}

export interface Optimizer {
  /** The state, by `SLOT.PARAMETER`: what a checkpoint holds. */
  readonly state: ReadonlyMap<string, StateAccess>;
  /** Step `step` (from 1) in place. Each gradient counts as `gradientScale` times itself: how clipping is applied. */
  update(
    gradients: ReadonlyMap<string, Float32Array>,
    step: number,
    rate: number,
    gradientScale: number,
  ): void;
}

/** What a step does with its gradients once they are added up, on the host or where they lie. */
export interface Updater extends Pick<Optimizer, 'state'> {
  /** Global L2 norm of the gradients. */
  norm(): Promise<number>;
  /** Step `step` (from 1), as {@link Optimizer}'s. */
  update(step: number, rate: number, gradientScale: number): Promise<void>;
  /** Brings parameters and optimiser state to the host, where `state` and the decoder's `parameters` can be read. */
  collect(): Promise<void>;
  /** Releases the copy of the state that {@link collect} has made: whoever wanted it has taken it. */
  forget(): void;
  release(): Promise<void>;
}

/** Hyperparameters of all optimisers; each reads its own. The rate comes from the schedule. */
export interface OptimizerOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
  readonly momentum: number;
  /** Rate of LoRA's B and of vectors over that of the rest (LoRA+, arXiv 2402.12354). */
  readonly loraplusRatio: number;
}

/** A tensor of the state, before the first step. */
export interface Slot {
  readonly type: 'f32' | 'u8';
  readonly length: number;
  /** What it is filled with; 0 if it is absent. */
  readonly fill?: number;
}

/** How one parameter is updated. */
export interface Rule {
  /** The state for a parameter of this shape and name, by the rule's own names. */
  readonly slots: (shape: readonly number[], name: string) => Readonly<Record<string, Slot>>;
  readonly update: (input: RuleInput) => void;
  /** Bytes that an update of a parameter of this shape works in; default: next to none. */
  readonly scratch?: (shape: readonly number[]) => number;
  /** The same as a graph, for tensors that lie on a device; default: the host updates. */
  readonly graph?: RuleGraph;
}

/** What a step's graph takes besides tensors, by name. */
export type RuleNumbers = Readonly<Record<string, number>>;

export interface RuleGraph {
  readonly numbers: (step: RuleStep) => RuleNumbers;
  /** All values are of the parameter's shape; `number` gives a number of the step as a scalar, once each. */
  readonly build: (
    b: GraphBuilder,
    given: {
      readonly parameter: ValueId;
      readonly gradient: ValueId;
      readonly slots: Readonly<Record<string, ValueId>>;
      readonly number: (name: string) => ValueId;
    },
  ) => { readonly parameter: ValueId; readonly slots: Readonly<Record<string, ValueId>> };
}

export interface RuleInput extends RuleStep {
  readonly parameter: Parameter;
  readonly gradient: Float32Array;
  readonly slots: Readonly<Record<string, StateTensor>>;
}

/** What a step is told besides tensors. */
interface RuleStep {
  readonly options: OptimizerOptions;
  /** Of this parameter: 0 if it is not decayed. */
  readonly decay: number;
  readonly step: number;
  readonly rate: number;
  readonly gradientScale: number;
}

/** The state of one parameter. */
export interface ParameterState {
  readonly tensors: Readonly<Record<string, StateAccess>>;
  /** Lets a rule change the tensors in place. */
  change(change: (slots: Readonly<Record<string, StateTensor>>) => void): void;
}

/** Where the state lies: in memory, or as far as that reaches (see offloaded-state.ts). */
export type StateAllocator = (slots: Readonly<Record<string, Slot>>) => ParameterState;

/** An optimiser that applies a rule to every parameter by itself. */
export function createOptimizer(
  rule: Rule,
  parameters: Parameters,
  options: OptimizerOptions,
  allocate: StateAllocator = inMemory,
): Optimizer {
  const states = new Map(
    [...parameters].map(([name, { shape }]) => [name, allocate(rule.slots(shape, name))]),
  );
  const state = [...states].flatMap(([name, { tensors }]) =>
    Object.entries(tensors).map(([slot, tensor]): [string, StateAccess] => [`${slot}.${name}`, tensor]),
  );
  return {
    state: new Map(state),
    update(gradients, step, rate, gradientScale) {
      for (const [name, parameter] of parameters) {
        const gradient = gradients.get(name);
        if (gradient === undefined) throw new Error(`no gradient for ${name}`);
        const own = settingsOf(name, parameter.shape, options, rate);
        states.get(name)?.change((slots) => {
          rule.update({ parameter, gradient, slots, options, step, gradientScale, ...own });
        });
      }
    },
  };
}

export const fresh = ({ type, length, fill = 0 }: Slot): StateTensor =>
  type === 'u8' ? new Uint8Array(length).fill(fill) : new Float32Array(length).fill(fill);

/** State as arrays of this process, filled as the rule begins. */
export function inMemory(slots: Readonly<Record<string, Slot>>): ParameterState {
  const own = Object.entries(slots).map(([name, slot]) => ({ name, slot, data: fresh(slot) }));
  const arrays = Object.fromEntries(own.map(({ name, data }) => [name, data]));
  return {
    tensors: Object.fromEntries(
      own.map(({ name, slot: { type, length }, data }) => [
        name,
        { type, length, read: () => data, write: (values) => data.set(values) },
      ]),
    ),
    change(change) {
      change(arrays);
    },
  };
}

export const slotBytes = ({ type, length }: Slot): number => BYTES[type] * length;

const BYTES: Readonly<Record<Slot['type'], number>> = { f32: 4, u8: 1 };

/**
 * Parameters without weight decay in transformers' Trainer (`get_decay_parameter_names`): those with such names, and every
 * `nn.LayerNorm`, which GPT-2 calls `ln_1`, `ln_2` and `ln_f`.
 */
const NOT_DECAYED = /bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)|(?:^|\.)ln_/i;

export const decays = (name: string): boolean => !NOT_DECAYED.test(name);

/** As peft's `create_loraplus_optimizer` groups them. */
const isFaster = (name: string, shape: readonly number[]): boolean =>
  name.includes('lora_B') || shape.length === 1;

/** Rate and decay of a parameter. */
export const settingsOf = (
  name: string,
  shape: readonly number[],
  { decay, loraplusRatio }: OptimizerOptions,
  rate: number,
): Pick<RuleStep, 'rate' | 'decay'> => ({
  rate: rate * (isFaster(name, shape) ? loraplusRatio : 1),
  decay: decays(name) ? decay : 0,
});

export const floats = (length: number): Slot => ({ type: 'f32', length });
