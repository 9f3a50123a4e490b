import type { OptionSpec } from './command.js';

export const LOCKED_OPTION: Readonly<Record<string, OptionSpec>> = {
  locked: {
    type: 'boolean',
    doc: 'Refuses whatever is not as the lock file says, and names it; see `ftpc lock`.',
  },
};
