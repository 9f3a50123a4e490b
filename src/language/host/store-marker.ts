/** What makes a folder a store: a file that says so. Without one, a folder with something in it is somebody else's. */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { hex, tryJson, version } from './json.js';
import { discard } from './own-files.js';
import { markOf } from './process-identity.js';

export const MARKER = 'ftpc-store.json';
const FORM = v.object({ version: version(1), id: hex(16, 'an id') });

/** The id of a store; `undefined` where the folder has none. */
export const storeId = (folder: string): string | undefined =>
  tryJson(FORM, textOf(join(folder, MARKER)))?.id;

/** Makes a folder that is there a store; gives its id, which is the old one where it was one. Throws what the system says. */
export function markStore(folder: string): string {
  const known = storeId(folder);
  if (known !== undefined) return known;
  const path = join(folder, MARKER);
  const ticket = `${path}.${markOf()}.tmp`;
  const id = randomBytes(8).toString('hex');
  try {
    writeFileSync(ticket, `${JSON.stringify({ version: 1, id })}\n`, { flush: true });
    try {
      linkSync(ticket, path);
    } catch {
      // another process was first, the file system has no links, or a damaged marker is there
      if (storeId(folder) === undefined) renameSync(ticket, path);
    }
  } finally {
    discard(ticket);
  }
  return storeId(folder) ?? id;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
