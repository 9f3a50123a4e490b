import type { Rule } from '../types.js';
import { unpinned } from '../unpinned.js';

export const unpinnedModel: Rule = {
  id: 'unpinned-model',
  code: 'FTP1011',
  level: 'warning',
  doc: 'A model of the Hub without a pinned commit: neither `revision` nor the lock file names one.',
  reason:
    'The name of a repository is not a version: tomorrow it may have different weights, a different tokenizer or a different template. An adapter fits only the base that it was trained on.',
  check: (pipeline) =>
    unpinned(pipeline, 'hf', ['format', 'train', 'eval', 'merge'], ['base', 'model', 'baseline']),
};
