import type { Check } from './finding.js';
import { gpu } from './gpu.js';
import { python, starter, tokenizers } from './libraries.js';
import { cores, disk, memory, node, writing } from './machine.js';
import { runtimes } from './runtime.js';

/** In the order in which they are shown. */
export const checks: readonly Check[] = [
  node,
  cores,
  memory,
  ...runtimes,
  tokenizers,
  starter,
  disk,
  writing,
  gpu,
  python,
];
export type { Finding, State } from './finding.js';
