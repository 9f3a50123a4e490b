import { defaulted, type FunctionSchema, optional, required, t } from '../schema.js';

const warmup = defaulted(
  t.quantities('ratio', 'steps'),
  { unit: 'ratio', value: 0.03 },
  'Steps at the start during which the rate rises from 0.',
);

const lowest = optional(
  t.quantity('ratio', { min: 0, max: 1 }),
  'Lowest rate, as a fraction of the highest; default: 0.',
);

const rate = required(t.number({ above: 0 }), 'Highest learning rate.');
const decay = defaulted(t.number({ min: 0 }), 0, 'Weight decay; biases and norms are not decayed.');
const last = {
  loraplus_ratio: defaulted(
    t.number({ above: 0 }),
    1,
    'Learning rate of factor B divided by that of factor A; LoRA+ uses about 16.',
  ),
  schedule: optional(t.call('schedule'), 'How the rate changes; default: it stays constant.'),
  clip: defaulted(
    t.union(t.number({ above: 0 }), t.none),
    1,
    'Largest global norm of the gradient; `none`: not clipped.',
  ),
};
const paged = defaulted(
  t.boolean,
  false,
  'Moments that do not fit into memory may be offloaded to a file; the planner decides how much. Does not change results.',
);
const adam = {
  rate,
  beta1: defaulted(
    t.number({ min: 0, below: 1 }),
    0.9,
    'Decay rate of the first moment, the mean of the gradients.',
  ),
  beta2: defaulted(
    t.number({ min: 0, below: 1 }),
    0.999,
    'Decay rate of the second moment, the mean of their squares.',
  ),
  epsilon: defaulted(t.number({ above: 0 }), 1e-8, 'Added to the root of the second moment.'),
  decay,
  ...last,
};

/** The optimiser, with its learning rate and schedule. */
export const optimizers = {
  adamw: { family: 'optimizer', doc: 'Adam with decoupled weight decay.', positional: [], args: adam },
  adamw8bit: {
    family: 'optimizer',
    doc: 'AdamW with both moments in 8 bits, which takes a quarter of the memory. Those of embeddings stay in float32, as in transformers.',
    positional: [],
    args: { ...adam, paged },
  },
  adafactor: {
    family: 'optimizer',
    doc: 'Adafactor: for a matrix, it keeps only means over its rows and columns.',
    positional: [],
    args: { rate, decay, ...last },
  },
  lion: {
    family: 'optimizer',
    doc: 'Lion: steps by the sign of the momentum; the usual rate is about a tenth of that for AdamW.',
    positional: [],
    args: {
      rate,
      beta1: defaulted(
        t.number({ min: 0, below: 1 }),
        0.9,
        'Weight of the momentum in the update direction.',
      ),
      beta2: defaulted(t.number({ min: 0, below: 1 }), 0.99, 'Decay rate of the momentum.'),
      decay,
      ...last,
    },
  },
  sgd: {
    family: 'optimizer',
    doc: 'Stochastic gradient descent.',
    positional: [],
    args: {
      rate,
      momentum: defaulted(
        t.number({ min: 0, below: 1 }),
        0,
        'Fraction of the last update that is added to the next one.',
      ),
      decay,
      ...last,
    },
  },
} as const satisfies Record<string, FunctionSchema>;

/** How the learning rate moves over the steps. */
export const schedules = {
  cosine: {
    family: 'schedule',
    doc: 'Falls to `min` along a half cosine.',
    positional: [],
    args: { warmup, min: lowest },
  },
  linear: { family: 'schedule', doc: 'Falls to 0 linearly.', positional: [], args: { warmup } },
  constant: { family: 'schedule', doc: 'Stays at the peak rate.', positional: [], args: { warmup } },
  cosine_restarts: {
    family: 'schedule',
    doc: 'Falls to 0 along a half cosine, several times.',
    positional: [],
    args: { warmup, cycles: defaulted(t.integer({ min: 1 }), 1, 'Number of cycles.') },
  },
  polynomial: {
    family: 'schedule',
    doc: 'Falls with a power of the fraction of steps that remain.',
    positional: [],
    args: {
      warmup,
      power: defaulted(t.number({ above: 0 }), 1, 'Exponent.'),
      end: defaulted(t.number({ min: 0 }), 1e-7, 'Rate at the end.'),
    },
  },
  inverse_sqrt: {
    family: 'schedule',
    doc: 'Falls with the square root of the step; the longer the warm-up, the more slowly.',
    positional: [],
    args: { warmup },
  },
  warmup_stable_decay: {
    family: 'schedule',
    doc: 'Stays at the peak rate, and falls to `min` over the last steps.',
    positional: [],
    args: {
      warmup,
      decay: defaulted(
        t.quantities('ratio', 'steps'),
        { unit: 'ratio', value: 0.1 },
        'Steps at the end during which the rate falls.',
      ),
      shape: defaulted(t.enum('cosine', 'linear', 'sqrt'), 'cosine', 'What the rate falls along.'),
      min: lowest,
    },
  },
  reduce_on_plateau: {
    family: 'schedule',
    doc: 'Falls by a factor when validations stop finding a better loss.',
    positional: [],
    args: {
      warmup: defaulted(
        t.quantities('ratio', 'steps'),
        { unit: 'ratio', value: 0 },
        'Steps at the start during which the rate rises from 0.',
      ),
      factor: defaulted(t.quantity('ratio', { min: 0, max: 1 }), 0.1, 'What is left of the rate.'),
      patience: defaulted(
        t.integer({ min: 0 }),
        10,
        'Validations in a row without a better loss that are let pass.',
      ),
      threshold: defaulted(
        t.quantity('ratio', { min: 0, max: 1 }),
        1e-4,
        'How far below the best loss so far a better one is, as a fraction of it.',
      ),
      min: lowest,
    },
  },
} as const satisfies Record<string, FunctionSchema>;
