/** Pipeline files of the workspace: those that are open, and those below its folders. */
import { join } from 'node:path';
import { HostError } from '../../language/host/host.js';
import { isPipelineFile } from './open-files.js';
import type { Session } from './session.js';

/** A workspace may be a home folder: what is looked at has an end. */
const MOST_FOLDERS = 2000;
const MOST_FILES = 2000;

const SKIPPED = /^(\..*|node_modules|dist|build|out|target|__pycache__|venv)$/;

/** Open ones first, each once. */
export function pipelineFiles({ open, projects }: Session): readonly string[] {
  const files = new Set(projects.opened());
  const folders = [...open.workspaceFolders()];
  for (let looked = 0; looked < MOST_FOLDERS && files.size < MOST_FILES; looked++) {
    const folder = folders.shift();
    if (folder === undefined) break;
    const host = projects.hostAt(folder);
    for (const name of namesIn(folder, host)) {
      const path = join(folder, name);
      if (isPipelineFile(path)) files.add(path);
      else if (!SKIPPED.test(name) && !/\.[A-Za-z0-9]+$/.test(name) && host.stat(path)?.isFolder === true)
        folders.push(path);
    }
  }
  return [...files];
}

function namesIn(folder: string, host: ReturnType<Session['projects']['hostAt']>): readonly string[] {
  try {
    return host.list(folder);
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}
