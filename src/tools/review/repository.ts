/** What a comparison sees of a git repository. Paths are relative to its root, with `/`. */

/** What was at a path that differs from the working tree. */
export type EarlierEntry =
  /** Only the working tree has it, or its index. */
  | { readonly kind: 'nothing' }
  /** `id` of the object that has its content. */
  | { readonly kind: 'file' | 'link'; readonly id: string }
  | { readonly kind: 'submodule' };

export interface Repository {
  /** Absolute, without symbolic links. */
  readonly root: string;
  /** Paths at which the commit differs from the working tree. Whatever is not in it is as it was, or not in git. */
  readonly changed: ReadonlyMap<string, EarlierEntry>;
  /** Content of an object. Throws a `UserError` if it is not here. */
  read(id: string): Uint8Array;
  /** Absolute, with the symbolic links of the working tree followed as far as there is something. */
  realPath(path: string): string;
  /** Those of the paths that the commit has. */
  tracked(paths: readonly string[]): ReadonlySet<string>;
  /** What a file was called in the commit; `undefined` if it was not there under any name. */
  renamedFrom(path: string): string | undefined;
  /** Where the content of a Git LFS object is kept, by its SHA-256; `undefined` if it was not fetched. */
  largeObject(sha256: string): string | undefined;
}

/** A file in the place of one that Git LFS keeps. https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
export function largePointer(content: Uint8Array): string | undefined {
  if (content.byteLength > LONGEST_POINTER) return undefined;
  const text = new TextDecoder().decode(content);
  if (!text.startsWith('version https://git-lfs.github.com/spec/')) return undefined;
  return /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1];
}

/** Bytes: the specification allows less than 1,024. */
const LONGEST_POINTER = 1024;
