import { lstatSync, realpathSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { hostError } from '../../language/diagnostics/catalogue/files.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';

/** A file that was asked for. */
export interface NamedFile {
  /** As it is named to people: relative to the working directory. */
  readonly name: string;
  /** Where it really is, with all links resolved. */
  readonly path: string;
}

interface NamedFiles {
  readonly files: readonly NamedFile[];
  readonly diagnostics: readonly Diagnostic[];
}

interface FileKind {
  /** Of the files in a folder. */
  readonly ending: string;
  /** A folder without any. */
  readonly nothing: (folder: string) => Diagnostic;
}

/**
 * The files that were named, and those of the folders that were named, in order. `node_modules`, what starts with a
 * dot and links to folders are left out of folders; a file that several names lead to comes once.
 */
export function namedFiles(host: Host, names: readonly string[], { ending, nothing }: FileKind): NamedFiles {
  const files = new Map<string, NamedFile>();
  const diagnostics: Diagnostic[] = [];
  for (const name of names) {
    try {
      const paths = filesAt(host, name, ending);
      if (paths.length === 0) diagnostics.push(nothing(name));
      for (const path of paths) {
        const real = realpathSync(path);
        if (!files.has(real)) files.set(real, { name: relative(host.cwd, path) || path, path: real });
      }
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      diagnostics.push(hostError({ ...error, path: relative(host.cwd, error.path) || error.path }));
    }
  }
  return { files: [...files.values()], diagnostics };
}

function filesAt(host: Host, name: string, ending: string): readonly string[] {
  const path = resolve(host.cwd, name);
  const stat = host.stat(path);
  if (stat === undefined) throw new HostError('not_found', path, 'does not exist');
  return stat.isFolder ? filesBelow(host, path, ending) : [path];
}

function filesBelow(host: Host, folder: string, ending: string): readonly string[] {
  return host.list(folder).flatMap((name) => {
    if (name.startsWith('.') || name === 'node_modules') return [];
    const path = join(folder, name);
    if (lstatSync(path).isDirectory()) return filesBelow(host, path, ending);
    return name.endsWith(ending) && host.stat(path)?.isFolder === false ? [path] : [];
  });
}
