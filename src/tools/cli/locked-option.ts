import type { OptionSpec } from './command.js';

export const LOCKED_OPTION: Readonly<Record<string, OptionSpec>> = {
  locked: {
    type: 'boolean',
    doc: 'Refuse anything that differs from the lock file or is not in it; see `ftpc lock`.',
  },
};
