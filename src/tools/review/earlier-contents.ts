/** Contents of files at a commit; that of a Git LFS pointer is looked for where Git LFS keeps it. */
import { largeObjectMissing } from '../../language/diagnostics/catalogue/review.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { largePointer, type Repository } from './repository.js';

export interface EarlierContents {
  /** Of object `id`, which was at the absolute `path`; `name` is what git calls it. Throws a `UserError`. */
  of(id: string, path: string, name: string): Uint8Array;
  /** SHA-256 of files whose content is not here and was taken from the working tree, by absolute path. */
  readonly absent: ReadonlyMap<string, string>;
}

/** Each object is read once. */
export function openContents(
  real: Host,
  repository: Repository,
  ref: string,
  report: (diagnostic: Diagnostic) => void,
): EarlierContents {
  const known = new Map<string, Uint8Array>();
  const absent = new Map<string, string>();
  const large = (sha256: string, path: string, name: string): Uint8Array => {
    const kept = repository.largeObject(sha256);
    if (kept !== undefined) return real.readBytes(kept);
    report(largeObjectMissing(name, ref));
    absent.set(path, sha256);
    return real.stat(path) === undefined ? new Uint8Array() : real.readBytes(path);
  };
  return {
    absent,
    of(id, path, name) {
      const found = known.get(id);
      if (found !== undefined) return found;
      const stored = repository.read(id);
      const sha256 = largePointer(stored);
      const content = sha256 === undefined ? stored : large(sha256, path, name);
      known.set(id, content);
      return content;
    },
  };
}
