/** Documents that are open in the editor, and the paths under which the compiler knows them. */
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type FileStat, type Host, HostError } from '../../language/host/host.js';

interface OpenFile {
  readonly uri: string;
  /** Absolute; of a document that was never saved, one that no file has. */
  readonly path: string;
  readonly version: number;
  readonly text: string;
}

/** Follows the editor's documents, by path; two names of one document are one file. */
export class OpenFiles {
  private readonly byPath = new Map<string, OpenFile>();
  private roots: readonly string[] = [];

  /** `folder`: the folder of documents that are not on the disk. */
  constructor(private readonly folder: string) {}

  setRoots(uris: readonly string[]): void {
    this.roots = uris.flatMap((uri) => filePath(uri) ?? []).sort((a, b) => b.length - a.length);
  }

  /** Folders of the workspace, inner ones first. */
  workspaceFolders(): readonly string[] {
    return this.roots;
  }

  set(document: TextDocument): OpenFile {
    const { uri, version } = document;
    const file = { uri, path: this.pathOf(uri), version, text: document.getText() };
    this.byPath.set(file.path, file);
    return file;
  }

  delete(uri: string): void {
    this.byPath.delete(this.pathOf(uri));
  }

  get(path: string): OpenFile | undefined {
    return this.byPath.get(path);
  }

  all(): readonly OpenFile[] {
    return [...this.byPath.values()];
  }

  pathOf(uri: string): string {
    return filePath(uri) ?? join(this.roots[0] ?? this.folder, uri.replaceAll(/[\\/]/g, '_'));
  }

  /** The editor's own name for a file that is open. */
  uriOf(path: string): string {
    return this.byPath.get(path)?.uri ?? pathToFileURL(path).href;
  }

  /** The folder that a pipeline is compiled in: its folder of the workspace, or the one it is in. */
  rootOf(path: string): string {
    return this.roots.find((root) => isInside(root, path)) ?? dirname(path);
  }

  /** Is the document on no disk? */
  isUnsaved(path: string): boolean {
    const file = this.byPath.get(path);
    return file !== undefined && filePath(file.uri) === undefined;
  }
}

function filePath(uri: string): string | undefined {
  if (!uri.startsWith('file:')) return undefined;
  try {
    return fileURLToPath(uri);
  } catch (error) {
    // An address of another machine, or one that no file can have.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

export function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== '' && !inside.startsWith('..') && !isAbsolute(inside);
}

export const isPipelineFile = (path: string): boolean => basename(path).endsWith('.ftp');

/** Milliseconds after which a look at the disk is taken again: not every editor tells of changed files. */
const FRESH = 2000;

type Outcome = { readonly found: unknown } | { readonly thrown: HostError };
interface CacheEntry {
  readonly at: number;
  readonly outcome: Outcome;
  /** Size and time of the file that was read: while they are the same, so is what it holds. */
  readonly stamp: string | undefined;
}

/** The disk with open documents over it, looked at once: a keystroke asks for the same files as the one before. */
export class CachedDisk {
  private readonly known = new Map<string, CacheEntry>();

  constructor(
    private readonly disk: Host,
    private readonly open: OpenFiles,
  ) {}

  /** Something on the disk has changed. */
  forget(): void {
    this.known.clear();
  }

  /** A host with this working folder; `seen` gathers the paths that were asked for. */
  host(cwd: string, seen: Set<string>): Host {
    const { disk, open } = this;
    const see = (path: string): string => {
      seen.add(path);
      return path;
    };
    return {
      ...disk,
      cwd,
      readText: (path) => open.get(see(path))?.text ?? this.once(`t ${path}`, () => text(disk, path), path),
      readBytes: (path, start, length) => {
        const file = open.get(see(path));
        if (file === undefined)
          return this.once(`b ${path} ${start} ${length}`, () => disk.readBytes(path, start, length), path);
        const bytes = new TextEncoder().encode(file.text);
        return bytes.slice(start ?? 0, length === undefined ? undefined : (start ?? 0) + length);
      },
      stat: (path) => {
        const file = open.get(see(path));
        return file === undefined
          ? this.once(`s ${path}`, () => disk.stat(path))
          : statOf(file.text, disk.now());
      },
      list: (folder) => this.once(`l ${folder}`, () => disk.list(folder)),
      glob: (pattern, base) => this.once(`g ${base} ${pattern}`, () => disk.glob(pattern, base)),
    };
  }

  /** `file`: the one whose content is looked at. */
  private once<R>(key: string, look: () => R, file?: string): R {
    const before = this.known.get(key);
    const now = this.disk.now();
    const isFresh = before !== undefined && now - before.at < FRESH && now >= before.at;
    const stamp = isFresh ? before.stamp : this.stampOf(file);
    const isSame = isFresh || (before?.stamp !== undefined && before.stamp === stamp);
    const outcome = isSame ? before.outcome : attempt(look);
    if (!isFresh) this.known.set(key, { at: now, outcome, stamp });
    if ('thrown' in outcome) throw outcome.thrown;
    return outcome.found as R;
  }

  private stampOf(file: string | undefined): string | undefined {
    const stat = file === undefined ? undefined : this.disk.stat(file);
    return stat === undefined ? undefined : `${stat.size} ${stat.modified}`;
  }
}

/** Editors take a byte-order mark off; so do we, or every column of the first line is one off. */
const text = (disk: Host, path: string): string => disk.readText(path).replace(/^\ufeff/, '');

const statOf = (text: string, modified: number): FileStat => ({
  size: new TextEncoder().encode(text).length,
  isFolder: false,
  modified,
});

function attempt(look: () => unknown): Outcome {
  try {
    return { found: look() };
  } catch (error) {
    if (error instanceof HostError) return { thrown: error };
    throw error;
  }
}
