import { SEARCH_METHODS } from '../../ir/search-methods.js';
import { defaulted, type FunctionSchema, required, t } from '../schema.js';

/** A search over the matrices of a pipeline. */
export const searches = {
  search: {
    family: 'search',
    doc: 'Tries values of the matrices, and names the best trial: every combination (`grid`), values drawn at random (`random`), or drawn ones of which the worse end early (`halving`: successive halving, arXiv 1502.07943).',
    positional: ['method'],
    args: {
      method: required(t.enum(...SEARCH_METHODS), 'How trials are chosen, and which of them end early.'),
      by: required(
        t.port('Metric'),
        'What the winner is best in: a metric of an evaluation, or `valid_loss` of a training.',
      ),
      trials: defaulted(
        t.integer({ min: 1, max: 64 }),
        20,
        'Trials that are drawn; a grid has as many as it has combinations.',
      ),
      factor: defaulted(
        t.integer({ min: 2, max: 8 }),
        3,
        'With `halving`: one in so many trials goes on after a rung, and trains for so many times as long.',
      ),
      seed: defaulted(t.integer({ min: 0 }), 17, 'Seed of the values that are drawn.'),
    },
  },
} as const satisfies Record<string, FunctionSchema>;

const end = t.union(t.number(), t.quantities('tokens', 'steps', 'bytes', 'seconds', 'ratio'));
const ends = {
  low: required(end, 'The least that is drawn.'),
  high: required(end, 'The most that is drawn.'),
};

/** Values of a matrix that a search draws from. */
export const ranges = {
  uniform: {
    family: 'range',
    doc: 'Any value between two others, each as likely as the next; of an `Int`, whole numbers with both ends.',
    positional: ['low', 'high'],
    args: ends,
  },
  log_uniform: {
    family: 'range',
    doc: 'Any value between two others, each order of magnitude as likely as the next: for learning rates.',
    positional: ['low', 'high'],
    args: ends,
  },
} as const satisfies Record<string, FunctionSchema>;
