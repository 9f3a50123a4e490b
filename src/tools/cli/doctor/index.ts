import { accelerateChecks } from './accelerate.js';
import { type Check, cores, disk, gpu, memory, node, starter, tokenizers, writing } from './checks.js';
import { llama } from './llama.js';
import { runtimes } from './runtime.js';

const MACHINE: readonly Check[] = [node, cores, memory];
const FOLDERS: readonly Check[] = [disk, writing, gpu];
const EMBEDDED: readonly Check[] = [...runtimes, llama, tokenizers, starter];

/** In the order in which they are shown: those of one engine, or of both. */
export const checksOf = (engine?: 'embedded' | 'accelerate'): readonly Check[] => [
  ...MACHINE,
  ...(engine === 'accelerate' ? [] : EMBEDDED),
  ...FOLDERS,
  ...(engine === 'embedded' ? [] : accelerateChecks()),
];
export type { Finding, State } from './checks.js';
