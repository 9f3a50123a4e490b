import { defaulted, type FunctionSchema, t } from '../schema.js';

/** Which rows repeat an earlier one. */
export const dedupes = {
  exact: { family: 'dedupe', doc: 'Rows that are equal except for white space.', positional: [], args: {} },
  near: {
    family: 'dedupe',
    doc: 'Rows whose sets of three-word sequences overlap at least this much (Jaccard similarity, found by MinHash).',
    positional: ['similarity'],
    args: {
      similarity: defaulted(t.number({ min: 0.5, max: 1 }), 0.9, 'Smallest overlap of two duplicates.'),
    },
  },
} as const satisfies Record<string, FunctionSchema>;
