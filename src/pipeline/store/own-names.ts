/** How a store calls what it keeps in each of its folders: nothing else in them is ever removed. */
import { renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolders } from '../../language/host/node-folders.js';
import { discard, isOwn, type OwnForm, removeOwn, sweepOwn } from '../../language/host/own-files.js';
import { MARK, markOf } from '../../language/host/process-identity.js';
import { markStore, storeId } from '../../language/host/store-marker.js';

const KEY = '[0-9a-f]{64}';
const RUN = String.raw`\d{8}-\d{6}-[0-9a-f]{4}`;

const files = (name: string): OwnForm => ({ name: new RegExp(`^(?:${name})$`), kinds: ['file'] });
const folders = (name: string): OwnForm => ({ name: new RegExp(`^(?:${name})$`), kinds: ['folder'] });

export const STORE_FORMS: Readonly<Record<string, OwnForm>> = {
  store: folders(KEY),
  work: folders(KEY),
  claims: files(String.raw`${KEY}(?:\.${MARK}\.(?:ticket|beat)|\.stale\.${MARK})?`),
  runs: folders(RUN),
  stops: files(RUN),
  users: files(String.raw`[0-9a-f]{16}\.json`),
  used: files(String.raw`${KEY}|now\.${MARK}`),
};

/** In the folder itself: locks and what becomes one, and what is about to replace a file. */
const AT_THE_TOP = files(
  String.raw`lock(?:\.(?:child(?:\.next)?|stale\.\d+|\d+\.${RUN}))?|[\w.-]+\.${MARK}\.tmp`,
);

/** Outputs that are written, and what is being removed: with the id of the store, since anything may be in them. */
const temporary = (id: string | undefined): OwnForm =>
  folders(String.raw`(?:${KEY}|removed)\.${id}\.${MARK}`);

/** The same of a store that had no id. */
export const UNMARKED = folders(String.raw`(?:${KEY}|removed)\.${MARK}`);

/** `root`: the folder of the store. */
const formOf = (root: string, path: string): OwnForm | undefined => {
  const folder = dirname(path);
  if (folder === root) return AT_THE_TOP;
  const name = dirname(folder) === root ? basename(folder) : '';
  if (name === 'tmp') return temporary(storeId(root));
  return Object.hasOwn(STORE_FORMS, name) ? STORE_FORMS[name] : undefined;
};

/** Whether a store may remove this, as far as its name, its kind and its place tell. */
export function isOfStore(root: string, path: string): boolean {
  const form = formOf(root, path);
  return form !== undefined && isOwn(path, form, root);
}

/** Removes what {@link isOfStore}; whether it did. Throws what the system says. */
export function removeOfStore(root: string, path: string): boolean {
  const form = formOf(root, path);
  return form !== undefined && removeOwn(path, form, root);
}

/** The same for what the next one finds and removes, should the disk refuse now. */
export function sweepOfStore(root: string, path: string): void {
  const form = formOf(root, path);
  if (form !== undefined) sweepOwn(path, form, root);
}

/** The path for what is not complete, or is being removed. */
export const temporaryIn = (root: string, what: string, mark: string): string =>
  join(root, 'tmp', `${what}.${markStore(root)}.${mark}`);

/**
 * Removes a folder of a store; whether it did. Renamed away first: a kill in the middle must not leave half of it under its
 * name. Throws what the system says.
 */
export function removeAside(root: string, path: string): boolean {
  if (!isOfStore(root, path)) return false;
  const aside = temporaryIn(root, 'removed', markOf());
  makeFolders(dirname(aside));
  try {
    renameSync(path, aside);
  } catch (error) {
    // another one took it away
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  discard(aside);
  return true;
}
