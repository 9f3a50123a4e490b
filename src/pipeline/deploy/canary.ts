/**
 * A release that gets a share of the requests next to the current one. `canary.json` decides; the link is for people
 * and programs.
 */
import * as v from 'valibot';
import { type Host, HostError } from '../../language/host/host.js';
import { count, finite, JsonFault, type JsonOf, version } from '../../language/host/json.js';
import type { OwnForm } from '../../language/host/own-files.js';
import { checkedText, parseChecked } from '../../language/host/self-check.js';
import {
  CANARY,
  CURRENT,
  checkLink,
  pointLink,
  type ReleaseAccess,
  releaseName,
  TEMPORARY,
} from './releases.js';

const CANARY_FILE = 'canary.json';

const FILE = v.object({
  version: version(1),
  release: count,
  /** Of the requests, 0 to 1. */
  share: finite,
  /** ISO 8601, UTC: when it became the canary. */
  since: v.string(),
});
export type Canary = Omit<JsonOf<typeof FILE>, 'version'>;

/**
 * The canary of a folder; `undefined` if it has none. One that is the current release does not count: it was promoted, and a kill
 * left the file.
 */
export function readCanary({ host, disk }: ReleaseAccess, folder: string): Canary | undefined {
  const file = readFile(host, `${folder}/${CANARY_FILE}`);
  if (file === undefined || file instanceof JsonFault) return undefined;
  const name = releaseName(file.release);
  if (disk.readLink(`${folder}/${CURRENT}`) === name || host.stat(`${folder}/${name}`) === undefined)
    return undefined;
  const { release, share, since } = file;
  return { release, share: Math.min(1, Math.max(0, share)), since };
}

/** What is wrong with the file of the canary, in a sentence: its requests go to the current release. */
export function canaryDamage({ host }: Pick<ReleaseAccess, 'host'>, folder: string): string | undefined {
  const file = readFile(host, `${folder}/${CANARY_FILE}`);
  return file instanceof JsonFault ? `${CANARY_FILE}: ${file.detail}` : undefined;
}

function readFile(host: Host, path: string): JsonOf<typeof FILE> | JsonFault | undefined {
  try {
    return parseChecked(FILE, host.readText(path));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return error.code === 'not_found' ? undefined : new JsonFault(error.detail);
  }
}

/** Makes a release the canary, in place of another one. Throws a `DiskError`, and a `UserError` if something is in its way. */
export function placeCanary(access: ReleaseAccess, folder: string, canary: Canary): void {
  const { disk } = access;
  checkLink(access, `${folder}/${CANARY}`);
  const temporary = `${folder}/.${CANARY}-${disk.writer}`;
  disk.remove(temporary, TEMPORARY);
  disk.write(temporary, checkedText({ version: 1, ...canary }));
  disk.rename(temporary, `${folder}/${CANARY_FILE}`);
  pointLink(access, folder, CANARY, canary.release);
}

/** Throws a `DiskError`. */
export function removeCanary({ disk }: ReleaseAccess, folder: string): void {
  disk.remove(`${folder}/${CANARY_FILE}`, { name: /^canary\.json$/, kinds: ['file'] });
  disk.remove(`${folder}/${CANARY}`, { name: /^canary$/, kinds: ['link'] });
}

/** A folder for each release that a pipeline has published with a share, with one for the share. */
const SHARES = '.shares';
const SHARE: OwnForm = { name: /^[\d.e-]+$/, kinds: ['folder'] };

/**
 * Notes with which share a pipeline published a release last; the path is there until another share takes its place. So a
 * pipeline that goes back to an earlier share acts again, and one that did so before someone promoted or rolled back does
 * not. Throws a `DiskError`.
 */
export function noteShare(
  { host, disk }: ReleaseAccess,
  folder: string,
  release: number,
  share: number | undefined,
): string | undefined {
  const shares = `${folder}/${SHARES}/${releaseName(release)}`;
  const path = `${shares}/${share}`;
  if (share !== undefined && host.stat(path) !== undefined) return path;
  if (host.stat(shares)?.isFolder === true)
    for (const name of host.list(shares))
      if (host.stat(`${shares}/${name}`)?.isFolder === true && host.list(`${shares}/${name}`).length === 0)
        disk.remove(`${shares}/${name}`, SHARE);
  if (share === undefined) return undefined;
  disk.makeFolder(path);
  return path;
}
