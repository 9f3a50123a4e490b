import { defaulted, type FunctionSchema, optional, required, t } from '../schema.js';

const warmup = defaulted(
  t.quantities('ratio', 'steps'),
  { unit: 'ratio', value: 0.03 },
  'Steps at the start in which the rate rises from 0.',
);

const rate = required(t.number({ above: 0 }), 'Highest learning rate.');
const decay = defaulted(t.number({ min: 0 }), 0, 'Weight decay; biases and norms are not decayed.');
const last = {
  loraplus_ratio: defaulted(
    t.number({ above: 0 }),
    1,
    'Rate of the second factor of an adapter over that of the first: LoRA+ takes about 16.',
  ),
  schedule: optional(t.call('schedule'), 'How the rate moves. Left out: it stays.'),
  clip: defaulted(
    t.number({ above: 0 }),
    1,
    'Largest global norm of the gradient; one that is never reached, such as 1e9, turns clipping off.',
  ),
};
const paged = defaulted(
  t.boolean,
  false,
  'What is remembered may stand in a file, as far as memory does not hold it: the planner says how much. Changes no result.',
);
const adam = {
  rate,
  beta1: defaulted(t.number({ min: 0, max: 1 }), 0.9, 'Decay of the mean of the gradients.'),
  beta2: defaulted(t.number({ min: 0, max: 1 }), 0.999, 'Decay of the mean of their squares.'),
  epsilon: defaulted(t.number({ above: 0 }), 1e-8, 'Added to the root of the second moment.'),
  decay,
  ...last,
};

/** The optimiser, with its learning rate and schedule. */
export const optimizers = {
  adamw: { family: 'optimizer', doc: 'Adam with decoupled weight decay.', positional: [], args: adam },
  adamw8bit: {
    family: 'optimizer',
    doc: 'AdamW that remembers both moments in 8 bits: a quarter of the memory. Those of embeddings stay in float32, as in transformers.',
    positional: [],
    args: { ...adam, paged },
  },
  adafactor: {
    family: 'optimizer',
    doc: 'Adafactor: of a matrix, only means over its rows and columns are remembered.',
    positional: [],
    args: { rate, decay, ...last },
  },
  lion: {
    family: 'optimizer',
    doc: 'Lion: steps of one size in the direction of the momentum; the rate is about a tenth of that of AdamW.',
    positional: [],
    args: {
      rate,
      beta1: defaulted(t.number({ min: 0, max: 1 }), 0.9, 'Share of the momentum in the direction.'),
      beta2: defaulted(t.number({ min: 0, max: 1 }), 0.99, 'Decay of the momentum.'),
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
      momentum: defaulted(t.number({ min: 0, max: 1 }), 0, 'Share of the last update that is made again.'),
      decay,
      ...last,
    },
  },
} as const satisfies Record<string, FunctionSchema>;

/** How the learning rate moves over the steps. */
export const schedules = {
  cosine: { family: 'schedule', doc: 'Down to 0 along a half cosine.', positional: [], args: { warmup } },
  linear: { family: 'schedule', doc: 'Down to 0 along a line.', positional: [], args: { warmup } },
  constant: { family: 'schedule', doc: 'Stays at the highest rate.', positional: [], args: { warmup } },
  cosine_restarts: {
    family: 'schedule',
    doc: 'Down to 0 along a half cosine, several times.',
    positional: [],
    args: { warmup, cycles: defaulted(t.integer({ min: 1 }), 1, 'How many times.') },
  },
  polynomial: {
    family: 'schedule',
    doc: 'Down along a power of what is left.',
    positional: [],
    args: {
      warmup,
      power: defaulted(t.number({ above: 0 }), 1, 'The power.'),
      end: defaulted(t.number({ min: 0 }), 1e-7, 'Rate at the end.'),
    },
  },
  inverse_sqrt: {
    family: 'schedule',
    doc: 'Down with the root of the step; the longer the warm-up, the slower.',
    positional: [],
    args: { warmup },
  },
} as const satisfies Record<string, FunctionSchema>;
