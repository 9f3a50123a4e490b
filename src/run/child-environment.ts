/**
 * What has to be set before a runtime is loaded. Threads: each library counts the cores by itself, and two
 * pools on the same cores slow each other down.
 */
export function childEnvironment(threads: number): Readonly<Record<string, string>> {
  return {
    OMP_NUM_THREADS: String(threads),
    RAYON_NUM_THREADS: String(threads),
    TOKENIZERS_PARALLELISM: threads > 1 ? 'true' : 'false',
  };
}
