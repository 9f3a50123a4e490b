/** Folders that ftpc has sealed with the digests of their files: outputs in a store, releases, and snapshots of a hub. */
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { userError, wholeFile } from '../../language/diagnostics/make.js';
import { type Host, HostError } from '../../language/host/host.js';
import { anyObject, JsonFault, tryJsonFile } from '../../language/host/json.js';
import { realPath } from '../../language/host/real-path.js';
import { firstDamage, type LookOptions } from '../../language/host/seal-damage.js';
import { parseChecked } from '../../language/host/self-check.js';
import { type SealedFolder, verifiedHost } from '../../language/host/verified-host.js';
import { STAGE_FILE, STAGE_RECORD } from '../../language/ir/outputs.js';
import { MANIFEST, readManifest } from './manifest.js';
import { snapshotAt } from './snapshot-seals.js';

/** Reads of these files are compared with what was sealed; damage ends in a `UserError`. */
export const verifying = (host: Host): Host => verifiedHost(host, (folder) => sealedAt(host, folder));

/**
 * The store entry, release or Hub snapshot in this folder; `undefined` for any other folder. Throws a `UserError` if its
 * list of files is damaged.
 */
const sealedAt = (host: Host, folder: string): SealedFolder | undefined =>
  entryAt(host, folder) ?? releaseAt(host, folder) ?? snapshotAt(host, folder);

/** Throws a `UserError` if a folder was sealed and is not as it was. `folder` may be one in it. */
export function checkSealed(host: Host, folder: string, options: LookOptions = { look: 'changed' }): void {
  const real = realPath(folder);
  const sealed = sealedAt(host, real) ?? sealedAt(host, dirname(real));
  const damage = sealed && firstDamage(host, sealed.path, sealed.files, options);
  if (sealed !== undefined && damage !== undefined) throw sealed.damaged(damage);
}

function entryAt(host: Host, folder: string): SealedFolder | undefined {
  const path = join(folder, STAGE_FILE);
  if (!/^[0-9a-f]{64}$/.test(basename(folder)) || host.stat(path) === undefined) return undefined;
  const damaged = (what: string): Error => entryDamaged(pathFor(host, folder), what);
  const record = parseChecked(STAGE_RECORD, readOwn(host, path, damaged));
  if (record instanceof JsonFault) throw damaged(`\`${STAGE_FILE}\`: ${record.detail}`);
  return { path: folder, files: record.files, isOpen: (name) => name === STAGE_FILE, damaged };
}

function releaseAt(host: Host, folder: string): SealedFolder | undefined {
  const path = join(folder, MANIFEST);
  if (host.stat(path) === undefined || !isOurs(host, folder, path)) return undefined;
  const damaged = (what: string): Error => releaseDamaged(pathFor(host, folder), what);
  const manifest = readManifest(host, folder);
  if ('damage' in manifest) throw damaged(manifest.damage);
  return { path: folder, files: manifest.files, isOpen: (name) => name === MANIFEST, damaged };
}

/** What a manifest of another program has not, but ours still has most of when it is damaged. */
const MARKS = ['release', 'digest', 'created', 'ftpc', 'smoke', 'files'] as const;

/** Other programs write files of this name too. A folder of releases says of itself what it is. */
function isOurs(host: Host, folder: string, path: string): boolean {
  if (
    /^\d{4,}$|^current$/.test(basename(folder)) &&
    host.stat(join(folder, '..', 'history.jsonl')) !== undefined
  )
    return true;
  const found = tryJsonFile(anyObject, host, path) ?? {};
  return MARKS.filter((mark) => Object.hasOwn(found, mark)).length >= MARKS.length - 1;
}

function readOwn(host: Host, path: string, damaged: (what: string) => Error): string {
  try {
    return host.readText(path);
  } catch (error) {
    if (error instanceof HostError && error.code === 'io')
      throw damaged(`\`${STAGE_FILE}\`: ${error.detail}`);
    throw error;
  }
}

/** Relative to the working folder, where it is inside. */
function pathFor({ cwd }: Host, folder: string): string {
  const short = relative(cwd, folder);
  return short.startsWith('..') || isAbsolute(short) ? folder : short;
}

/** The code of a stored output that was damaged after it was looked at. */
export const ENTRY_DAMAGED = 'FTP1441';

const entryDamaged = (folder: string, what: string): Error =>
  userError(ENTRY_DAMAGED, wholeFile(folder), `the stored output \`${folder}\` is damaged: ${what}`, {
    help: 'run again with `--verify`: its stage makes it again; if this repeats, check the disk',
  });

const releaseDamaged = (folder: string, what: string): Error =>
  userError('FTP1442', wholeFile(folder), `the release \`${folder}\` is not what was published: ${what}`, {
    help: 'run its pipeline to publish it again, or go back: `ftpc rollback`; `ftpc releases --verify` lists all that differs',
  });
