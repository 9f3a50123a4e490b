/** What Git LFS leaves in a working copy in place of a file that has not been fetched. */
import type { Host } from '../../language/host/host.js';
import { ModelError, type ModelErrorCode } from './types.js';

const BEGINNING = 'version https://git-lfs.github.com/spec/';
/** Pointers are shorter (https://github.com/git-lfs/git-lfs, `docs/spec.md`). */
const MAX_POINTER_BYTES = 1024;

/** Throws a {@link ModelError} of the given code if a file of `size` bytes is such a pointer. */
export function refusePointer(host: Host, path: string, size: number, code: ModelErrorCode): void {
  if (size < BEGINNING.length || size > MAX_POINTER_BYTES) return;
  const text = new TextDecoder().decode(host.readBytes(path, 0, BEGINNING.length));
  if (text !== BEGINNING) return;
  throw new ModelError(
    code,
    path,
    'The file is a Git LFS pointer: its content has not been fetched.',
    'Run `git lfs pull` in the repository that it is from, or fetch the model again.',
  );
}
