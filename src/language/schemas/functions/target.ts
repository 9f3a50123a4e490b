import { type FunctionSchema, required, t } from '../schema.js';

/** Where a release is published. */
export const targets = {
  directory: {
    family: 'target',
    doc: 'A folder with a numbered folder for each release, and `current`.',
    positional: ['path'],
    args: { path: required(t.filled, 'Folder, relative to the working directory.') },
  },
} as const satisfies Record<string, FunctionSchema>;
