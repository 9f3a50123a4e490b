import { defaulted, type FunctionSchema, t } from '../schema.js';

/** What training does when it diverges, besides ending. */
export const answers = {
  recover: {
    family: 'answer',
    doc: 'Go back to the last good checkpoint, and on from there with a lower rate.',
    positional: [],
    args: {
      rate: defaulted(
        t.quantity('ratio', { min: 0.001, max: 0.999 }),
        0.5,
        'What is left of the learning rate after each time.',
      ),
      times: defaulted(t.integer({ min: 1, max: 100 }), 2, 'How often at most; then training ends.'),
    },
  },
} as const satisfies Record<string, FunctionSchema>;
