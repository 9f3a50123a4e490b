import type { Rule } from '../types.js';
import { unpinned } from '../unpinned.js';

export const unpinnedData: Rule = {
  id: 'unpinned-data',
  code: 'FTP1026',
  level: 'warning',
  doc: 'A data set of the Hub without a pinned commit: neither `revision` nor the lock file names one.',
  reason:
    'Rows that are added, corrected or removed under the same name change what is trained and what is measured. Two evaluations can only be compared on the same rows.',
  check: (pipeline) => unpinned(pipeline, 'hub', ['data'], ['source']),
};
