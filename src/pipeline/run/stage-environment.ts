/** What the process of a stage gets of the environment besides what every process gets. */

import { nodeHost } from '../../language/host/node-host.js';
import { MAPPED_BYTES } from '../../language/host/shareable.js';
import { missingFiles } from '../hub/cache.js';
import { wanted } from '../hub/fetch.js';
import type { StageTask } from './messages.js';

/**
 * The variables that open the repositories of which a stage has still to fetch files. A model's code, if it ever ran, would
 * find no other token.
 */
export function secretsOf(task: StageTask): ReadonlySet<string> {
  if (!task.repositories.some(({ secret }) => secret !== undefined)) return new Set();
  const host = nodeHost(task.cwd);
  const inputs = Object.values(task.inputs).map(({ stage }) => stage);
  const missing = wanted({ ...task, inputs }).filter((pinned) => missingFiles(host, pinned).length > 0);
  return new Set(missing.flatMap(({ secret }) => (secret === undefined ? [] : [secret])));
}

/**
 * What has to be set before a runtime is loaded. Threads: each library counts the cores by itself, and two
 * pools on the same cores slow each other down.
 */
export function runtimeVariables(threads: number, runtime: string): Readonly<Record<string, string>> {
  return {
    OMP_NUM_THREADS: String(threads),
    RAYON_NUM_THREADS: String(threads),
    // weights are shared with a runtime that would copy them otherwise
    ...(runtime === 'tensorflow' ? { MALLOC_MMAP_THRESHOLD_: String(MAPPED_BYTES) } : {}),
    TOKENIZERS_PARALLELISM: threads > 1 ? 'true' : 'false',
  };
}
