import type { StageKind } from '../../language/ir/program.js';
import type { StageDefinition } from './stage.js';

/** Every stage kind and where its runner is; a runner is loaded only in the process of a stage that runs. */
export const stages: Readonly<Record<StageKind, StageDefinition>> = {
  data: { version: 5, tensors: 'none', load: async () => (await import('./data/run.js')).run },
  format: { version: 5, tensors: 'none', load: async () => (await import('./format/run.js')).run },
  train: { version: 5, tensors: 'artefact', load: async () => (await import('./train/run.js')).run },
  eval: { version: 4, tensors: 'artefact', load: async () => (await import('./eval/run.js')).run },
  merge: { version: 2, tensors: 'artefact', load: async () => (await import('./merge/run.js')).run },
  deploy: { version: 1, tensors: 'check', load: async () => (await import('./deploy/run.js')).run },
};
