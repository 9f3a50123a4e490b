import type { Rule } from '../types.js';
import { unpinned } from '../unpinned.js';

export const unpinnedData: Rule = {
  id: 'unpinned-data',
  code: 'FTP1026',
  level: 'warning',
  doc: 'A data set of the Hub whose revision is no commit, and no lock that names one.',
  reason:
    'Rows that are added, mended or taken out under the same name change what is trained and what is measured. Two evaluations can only be compared on the same rows.',
  check: (pipeline) => unpinned(pipeline, 'hub', ['data'], ['source']),
};
