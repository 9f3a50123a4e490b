import { MAPPED_BYTES } from '../../language/host/shareable.js';

/**
 * What has to be set before a runtime is loaded. Threads: each library counts the cores by itself, and two
 * pools on the same cores slow each other down.
 */
export function childEnvironment(threads: number, runtime: string): Readonly<Record<string, string>> {
  return {
    OMP_NUM_THREADS: String(threads),
    RAYON_NUM_THREADS: String(threads),
    // weights are shared with a runtime that would copy them otherwise
    ...(runtime === 'tensorflow' ? { MALLOC_MMAP_THRESHOLD_: String(MAPPED_BYTES) } : {}),
    TOKENIZERS_PARALLELISM: threads > 1 ? 'true' : 'false',
  };
}
