/** What the loop, the checkpoints and the planner know of an optimiser. */

export interface Parameter {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export type Parameters = ReadonlyMap<string, Parameter>;

/** A tensor that an optimiser remembers: numbers, or the codes of an 8-bit state. */
export type StateTensor = Float32Array | Uint8Array;

export interface Optimizer {
  /** What is remembered from step to step, by `SLOT.PARAMETER`: what a checkpoint holds. Changed in place. */
  readonly state: ReadonlyMap<string, StateTensor>;
  /** Step `step` (from 1) in place. Each gradient counts as `gradientScale` times itself: how clipping is applied. */
  update(
    gradients: ReadonlyMap<string, Float32Array>,
    step: number,
    rate: number,
    gradientScale: number,
  ): void;
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

/** A tensor that is remembered, before the first step. */
export interface Slot {
  readonly type: 'f32' | 'u8';
  readonly length: number;
  /** What it is filled with; 0 where it is absent. */
  readonly fill?: number;
}

/** How one parameter is updated. */
export interface Rule {
  /** What it remembers of a parameter of this shape, by name. */
  readonly slots: (shape: readonly number[]) => Readonly<Record<string, Slot>>;
  readonly update: (input: RuleInput) => void;
}

export interface RuleInput {
  readonly parameter: Parameter;
  readonly gradient: Float32Array;
  readonly slots: Readonly<Record<string, StateTensor>>;
  readonly options: OptimizerOptions;
  /** Of this parameter: 0 where it is not decayed. */
  readonly decay: number;
  readonly step: number;
  readonly rate: number;
  readonly gradientScale: number;
}

/** An optimiser that applies a rule to every parameter by itself. */
export function createOptimizer(rule: Rule, parameters: Parameters, options: OptimizerOptions): Optimizer {
  const slots = new Map([...parameters].map(([name, { shape }]) => [name, allocate(rule.slots(shape))]));
  const state = [...slots].flatMap(([name, own]) =>
    Object.entries(own).map(([slot, tensor]): [string, StateTensor] => [`${slot}.${name}`, tensor]),
  );
  return {
    state: new Map(state),
    update(gradients, step, rate, gradientScale) {
      for (const [name, parameter] of parameters) {
        const gradient = gradients.get(name);
        const own = slots.get(name);
        if (gradient === undefined || own === undefined) throw new Error(`no gradient for ${name}`);
        const faster = isFaster(name, parameter) ? options.loraplusRatio : 1;
        rule.update({
          ...{ parameter, gradient, slots: own, options, step, gradientScale },
          rate: rate * faster,
          decay: decays(name) ? options.decay : 0,
        });
      }
    },
  };
}

function allocate(slots: Readonly<Record<string, Slot>>): Readonly<Record<string, StateTensor>> {
  return Object.fromEntries(
    Object.entries(slots).map(([name, { type, length, fill = 0 }]) => [
      name,
      type === 'u8' ? new Uint8Array(length).fill(fill) : new Float32Array(length).fill(fill),
    ]),
  );
}

const BYTES: Readonly<Record<Slot['type'], number>> = { f32: 4, u8: 1 };

/** Bytes that a rule remembers of a parameter. */
export const stateBytes = (rule: Rule, shape: readonly number[]): number =>
  Object.values(rule.slots(shape)).reduce((sum, { type, length }) => sum + BYTES[type] * length, 0);

/** Parameters without weight decay in transformers' Trainer (`get_decay_parameter_names`). */
const NOT_DECAYED = /bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)/i;

export const decays = (name: string): boolean => !NOT_DECAYED.test(name);

/** As peft's `create_loraplus_optimizer` groups them. */
const isFaster = (name: string, { shape }: Parameter): boolean =>
  name.includes('lora_B') || shape.length === 1;

export const elements = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1);

export const floats = (length: number): Slot => ({ type: 'f32', length });
