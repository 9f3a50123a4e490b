import type { Rule } from '../types.js';
import { unpinned } from '../unpinned.js';

export const unpinnedModel: Rule = {
  id: 'unpinned-model',
  code: 'FTP1011',
  level: 'warning',
  doc: 'A model of the Hub whose revision is no commit, and no lock that names one.',
  reason:
    'The name of a repository is no version: what stands under it tomorrow may have other weights, another tokenizer or another template. An adapter fits the base that it was trained on, and no other.',
  check: (pipeline) =>
    unpinned(pipeline, 'hf', ['format', 'train', 'eval', 'merge'], ['base', 'model', 'baseline']),
};
