import {
  type Check,
  cores,
  disk,
  gpu,
  memory,
  node,
  python,
  starter,
  tokenizers,
  writing,
} from './checks.js';
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
export type { Finding, State } from './checks.js';
