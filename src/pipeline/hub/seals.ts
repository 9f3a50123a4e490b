/**
 * Whether files of the cache are what the Hub lists. Each is compared with its digest once, when it came or when it is used
 * first, and sealed: what reads it compares it chunk by chunk from then on, for the price of a checksum.
 */
import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readSeals, sealsPath, sealsText } from '../../compute/packaging/snapshot-seals.js';
import { UserError } from '../../language/diagnostics/types.js';
import { openCheckMemory } from '../../language/host/check-memory.js';
import type { Host } from '../../language/host/host.js';
import { sweepOwn } from '../../language/host/own-files.js';
import { ALWAYS_READ } from '../../language/host/seal-damage.js';
import { FileSealer, type SealedFile } from '../../language/host/sealed-file.js';
import type { HubFile, PinnedRepository } from '../../language/ir/program.js';
import { snapshotFolder } from '../stages/hub-repositories.js';
import { readParts } from '../store/digest.js';
import { replaceFile } from '../store/index.js';
import { OF_COMMIT } from './own-names.js';

type PinnedName = Pick<PinnedRepository, 'kind' | 'id' | 'commit'>;

/** What a file holds, if it is what is listed; otherwise what is wrong with it. */
export function compared(path: string, file: HubFile): SealedFile | { readonly wrong: string } {
  const { bytes, sha256, blob } = file;
  const sealer = new FileSealer();
  // large files have a SHA-256; the others are named as Git names them: SHA-1 of a header and the content
  const git = sha256 === undefined && blob !== undefined ? createHash('sha1') : undefined;
  git?.update(`blob ${bytes}\0`);
  readParts(path, (part) => {
    sealer.add(part);
    git?.update(part);
  });
  const sealed = sealer.seal();
  const found = git?.digest('hex') ?? sealed.sha256;
  const expected = sha256 ?? blob;
  return expected === undefined || found === expected
    ? sealed
    : { wrong: `its digest is ${found.slice(0, 12)}…, not ${expected.slice(0, 12)}…` };
}

const pathOf = (host: Host, pinned: PinnedName, { name }: HubFile): string =>
  join(snapshotFolder(host, pinned, pinned.commit), name);

/** What another program fetched is listed without digests; the cache has them as names. */
function withDigest(path: string, file: HubFile): HubFile {
  if (file.sha256 !== undefined || file.blob !== undefined) return file;
  try {
    const name = basename(readlinkSync(path));
    if (/^[0-9a-f]{64}$/.test(name)) return { ...file, sha256: name };
    return /^[0-9a-f]{40}$/.test(name) ? { ...file, blob: name } : file;
  } catch {
    return file;
  }
}

export function isSealed(host: Host, pinned: PinnedName, { name, bytes, sha256 }: HubFile): boolean {
  const seals = readSeals(host, snapshotFolder(host, pinned, pinned.commit));
  const seal = Object.hasOwn(seals, name) ? seals[name] : undefined;
  return seal?.bytes === bytes && (sha256 === undefined || seal.sha256 === sha256);
}

/** In a cache that may only be read, a large file is remembered as read, and none is compared as it is read. */
export function keepSeal(host: Host, pinned: PinnedName, name: string, seal: SealedFile): void {
  const folder = snapshotFolder(host, pinned, pinned.commit);
  try {
    replaceFile(sealsPath(folder), sealsText({ ...readSeals(host, folder), [name]: seal }));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const stat = host.stat(join(folder, name));
    const memory = openCheckMemory(host, folder);
    if (stat !== undefined && seal.bytes > ALWAYS_READ) memory.keep(name, stat, seal.sha256);
    memory.save();
  }
}

/** What is wrong with a file that has its size, or nothing. `again`: its digest is looked at also where it was before. */
export function damageOf(host: Host, pinned: PinnedName, file: HubFile, again: boolean): string | undefined {
  if (!again && isSealed(host, pinned, file)) return undefined;
  const path = pathOf(host, pinned, file);
  const stat = host.stat(path);
  const listed = withDigest(path, file);
  const memory = openCheckMemory(host, snapshotFolder(host, pinned, pinned.commit));
  if (!again && stat !== undefined && listed.sha256 !== undefined)
    if (memory.holds(file.name, stat, listed.sha256)) return undefined;
  const found = compared(path, listed);
  if ('wrong' in found) return found.wrong;
  if (!isSealed(host, pinned, file)) keepSeal(host, pinned, file.name, found);
  return undefined;
}

/** What of these is to be looked at again before it is used. */
export const forgetSeals = (host: Host, pinned: PinnedName): void =>
  sweepOwn(sealsPath(snapshotFolder(host, pinned, pinned.commit)), OF_COMMIT);
