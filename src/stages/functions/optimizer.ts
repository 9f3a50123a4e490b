import { defaulted, type FunctionSchema, optional, required, t } from '../schema.js';

const warmup = defaulted(
  t.quantities('ratio', 'steps'),
  { unit: 'ratio', value: 0.03 },
  'Steps at the start in which the rate rises from 0.',
);

/** How gradients become updates. */
export const optimizers = {
  adamw: {
    family: 'optimizer',
    doc: 'Adam with decoupled weight decay.',
    positional: [],
    args: {
      rate: required(t.number({ above: 0 }), 'Highest learning rate.'),
      beta1: defaulted(t.number({ min: 0, max: 1 }), 0.9, 'Decay of the mean of the gradients.'),
      beta2: defaulted(t.number({ min: 0, max: 1 }), 0.999, 'Decay of the mean of their squares.'),
      epsilon: defaulted(t.number({ above: 0 }), 1e-8, 'Added to the root of the second moment.'),
      decay: defaulted(t.number({ min: 0 }), 0, 'Weight decay.'),
      schedule: optional(t.call('schedule'), 'How the rate moves. Left out: it stays.'),
      clip: defaulted(t.number({ above: 0 }), 1, 'Largest global norm of the gradient.'),
    },
  },
} as const satisfies Record<string, FunctionSchema>;

/** How the learning rate moves over the steps. */
export const schedules = {
  cosine: { family: 'schedule', doc: 'Down to 0 along a half cosine.', positional: [], args: { warmup } },
  linear: { family: 'schedule', doc: 'Down to 0 along a line.', positional: [], args: { warmup } },
  constant: { family: 'schedule', doc: 'Stays at the highest rate.', positional: [], args: { warmup } },
} as const satisfies Record<string, FunctionSchema>;
