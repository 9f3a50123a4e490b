/** Documents that are open in the editor, and the paths under which the compiler knows them. */
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TextDocument } from 'vscode-languageserver-textdocument';

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
