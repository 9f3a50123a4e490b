/** Complete outputs of stages by the digest of everything that could change them. */

import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { type Host, HostError, type HostErrorCode } from '../../language/host/host.js';
import { JsonFault } from '../../language/host/json.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { nodeHost } from '../../language/host/node-host.js';
import { discard } from '../../language/host/own-files.js';
import { markOf } from '../../language/host/process-identity.js';
import { firstDamage, type Look, type LookOptions } from '../../language/host/seal-damage.js';
import type { SealedFiles } from '../../language/host/sealed-file.js';
import { checkedText, parseChecked } from '../../language/host/self-check.js';
import {
  BEGUN_FILE,
  BEGUN_RECORD,
  type BegunRecord,
  STAGE_FILE,
  STAGE_RECORD,
  type StageRecord,
} from '../../language/ir/outputs.js';
import { newPartName, renamed } from '../stages/train-plan/fields.js';
import { type Claim, type ClaimAbout, type ClaimOptions, claimKey, namesIn } from './claims.js';
import { syncFolder, syncFolders, writeWhole } from './durable.js';
import { foreignInOutput } from './foreign.js';
import { fromCwd, type Layout, layoutIn, ownTemporary, rootOf, storesOf } from './layout.js';
import { sweepLeftovers } from './leftovers.js';
import { isGone, outsideDamage, portable, recordOutside } from './outside-outputs.js';
import { isOfStore, removeAside, removeOfStore, temporaryIn } from './own-names.js';
import { sealFiles } from './seal.js';
import { sealFilesAside } from './seal-in-thread.js';
import { corruptEntry, corruptOutside, notOurs, writing } from './store-diagnostics.js';
import { emptyWork, hasCheckpoint, UNFINISHED } from './work-folder.js';

export interface StoreEntry {
  readonly key: string;
  /** Absolute folder. */
  readonly path: string;
  readonly record: StageRecord;
}

/** What {@link Store.seal} writes besides the files. */
type EntryRecord = Omit<StageRecord, 'version' | 'files'>;

export interface Store {
  readonly layout: Layout;
  /**
   * The sound entry of a key. Sizes are always checked, the content of what is small too, and that of what is large where
   * it has changed since it was read last, or `verify` is set; a plan, which only looks, leaves it to the run.
   * With `remove`, a damaged entry is taken away and reported; without it, it counts as absent.
   * So does one whose release is gone, or was changed in place, which goes to `report`; nothing is taken away.
   */
  find(key: string, options?: FindOptions): StoreEntry | undefined;
  /** Every sound entry, newest first: what a plan compares a changed stage with. */
  entries(): readonly StoreEntry[];
  /** Whether the stage of this key could resume from a checkpoint. */
  resumable(key: string): boolean;
  /** What the keys of stages were made of that were begun and are not complete, the newest first; not all of them have a checkpoint. */
  begun(): readonly Begun[];
  /** Keeps with the checkpoints of a stage what its key was made of: another choice finds them by that. */
  noteBegun(begun: Begun): void;
  /**
   * Makes this process the one that makes the output of a key. While another one does, waits; its output is then in the
   * store, so look again. `undefined` if the signal came first. Throws a `UserError` if the disk refuses.
   */
  claim(key: string, about: ClaimAbout, options?: ClaimOptions): Promise<Claim | undefined>;
  /** An empty folder for the stage of this key to fill. `publishes`: the output is outside, where this directory says. */
  begin(key: string, publishes?: boolean): string;
  /** Forces the files of a begun folder to disk and digests them, in a thread where that takes long. */
  digest(folder: string): Promise<SealedFiles>;
  /** Shows a begun folder under its key by one rename, with the digests of its files, which are on disk then. */
  seal(folder: string, sealing: EntryRecord, files?: SealedFiles): StoreEntry;
  /** Where the stage of this key keeps its checkpoints until it is complete. */
  workPath(key: string): string;
  /** The stage of this key is complete: its checkpoints have served. */
  dropWork(key: string): void;
  /** Takes a begun folder away. */
  discard(folder: string): void;
  /** Removes what killed runs left behind, and nothing that another living one writes. Only for the holder of the lock. */
  sweep(): void;
}

type Begun = Omit<BegunRecord, 'version'>;

interface FindOptions {
  readonly verify?: boolean;
  readonly remove?: (damage: Diagnostic) => void;
  readonly report?: (damage: Diagnostic) => void;
}

/** `shared`: the absolute folder of a store that others use too. */
export function openStore(cwd: string, shared?: string): Store {
  const layout = layoutIn(cwd, shared);
  const host = nodeHost(cwd);
  const find = (key: string, options: FindOptions = {}): StoreEntry | undefined => {
    const path = storesOf(layout)
      .map((folder) => join(folder, key))
      .find((folder) => existsSync(folder));
    if (path === undefined) return undefined;
    const record = readRecord(host, path);
    const look: LookOptions = { look: lookFor(options) };
    const damage = 'damage' in record ? record.damage : damageOf(host, path, key, record, look);
    if (!('damage' in record) && damage === undefined) {
      if (isGone(record, path)) return undefined;
      const outside = outsideDamage(host, record, path, look);
      if (outside === undefined) return { key, path, record };
      options.report?.(corruptOutside(fromCwd(cwd, outside.path), outside.detail));
      return undefined;
    }
    if (options.remove !== undefined) {
      removeEntry(layout, path);
      options.remove(corruptEntry(path, damage ?? ''));
    }
    return undefined;
  };
  return {
    layout,
    find,
    entries: () =>
      storesOf(layout)
        .flatMap(keysIn)
        .map((key) => find(key))
        .filter((entry) => entry !== undefined),
    resumable: (key) => hasCheckpoint(join(layout.work, key)),
    begun: () => keysIn(layout.work).flatMap((key) => readBegun(host, join(layout.work, key), key)),
    noteBegun: (begun) => noteBegun(join(layout.work, begun.key), begun),
    claim: (key, about, options) => claimKey(layout, key, about, options),
    begin: (key, publishes = false) => {
      const root = publishes ? layout.root : layout.shared;
      return writing(root, undefined, () => {
        makeFolders(root);
        const path = temporaryIn(root, key, writer());
        const folder = dirname(path);
        // also what one that was killed has begun: who has the claim is alone with the key
        for (const name of namesIn(folder))
          if (name.startsWith(`${key}.`)) removeOfStore(root, join(folder, name));
        makeFolders(path);
        return path;
      });
    },
    digest: sealFilesAside,
    seal: (folder, sealing, files = sealFiles(folder)) => seal(layout, folder, sealing, files),
    workPath: (key) => join(layout.work, key),
    dropWork: (key) => dropWork(layout.shared, join(layout.work, key)),
    discard,
    sweep: () => sweepLeftovers(layout),
  };
}

/** What the disk does not let go of now, the next run removes. */
function dropWork(root: string, path: string): void {
  if (!isOfStore(root, path)) return;
  try {
    emptyWork(root, path);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}

let ownMark = '';

/** Names what this process writes: another one, on another machine, may have its number. */
function writer(): string {
  if (ownMark === '') ownMark = markOf();
  return ownMark;
}

/** Keys of a store, newest first. */
function keysIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((key) => ({ key, time: statSync(join(folder, key), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.time - a.time)
    .map(({ key }) => key);
}

/** Who may take an entry away is about to use it. */
const lookFor = ({ verify, remove }: FindOptions): Look =>
  verify === true ? 'all' : remove === undefined ? 'sizes' : 'changed';

const damageOf = (
  host: Host,
  path: string,
  key: string,
  record: StageRecord,
  look: LookOptions,
): string | undefined =>
  record.key === key
    ? firstDamage(host, path, record.files, look)
    : `\`${STAGE_FILE}\` belongs to another key`;

function seal(layout: Layout, folder: string, sealing: EntryRecord, files: SealedFiles): StoreEntry {
  const target = dirname(folder) === ownTemporary(layout) ? layout.own : layout.store;
  const path = join(target, sealing.key);
  const result = portable(sealing.result, layout.cwd, path);
  const outside = recordOutside(result, path);
  const record: StageRecord = {
    version: 1,
    kind: sealing.kind,
    key: sealing.key,
    parts: sealing.parts,
    files,
    ...(outside === undefined ? {} : { outside }),
    result,
    seconds: sealing.seconds,
    peakMemoryBytes: sealing.peakMemoryBytes,
  };
  writeWhole(join(folder, STAGE_FILE), checkedText(record), { sync: true });
  syncFolders(folder);
  writing(path, undefined, () => {
    makeFolders(target);
    if (existsSync(path)) removeEntry(layout, path);
    renameSync(folder, path);
  });
  syncFolder(target);
  return { key: sealing.key, path, record };
}

/** Throws a `UserError` where somebody else has put something into it. */
function removeEntry(layout: Layout, path: string): void {
  const [foreign] = existsSync(join(path, STAGE_FILE)) ? foreignInOutput(path) : [];
  if (foreign !== undefined) throw new UserError(notOurs(join(path, foreign)));
  writing(path, undefined, () => removeAside(rootOf(layout, path), path));
}

/** The record of a store entry; what is wrong with it if there is no sound one. Throws a `HostError` as {@link firstDamage}. */
function readRecord(host: Host, folder: string): StageRecord | { readonly damage: string } {
  try {
    const record = parseChecked(STAGE_RECORD, host.readText(join(folder, STAGE_FILE)));
    return record instanceof JsonFault
      ? { damage: `\`${STAGE_FILE}\` is not as it was written: ${record.detail}` }
      : { ...record, parts: renamed(record.parts, newPartName) };
  } catch (error) {
    if (!(error instanceof HostError) || !NO_RECORD.includes(error.code)) throw error;
    return { damage: `\`${STAGE_FILE}\` cannot be read: ${error.detail}` };
  }
}

function noteBegun(folder: string, begun: Begun): void {
  const temporary = join(folder, `${UNFINISHED}${BEGUN_FILE}`);
  const path = join(folder, BEGUN_FILE);
  writeWhole(temporary, checkedText({ version: 1, ...begun }), { sync: true });
  writing(path, undefined, () => renameSync(temporary, path));
  syncFolder(folder);
}

/** Nothing where it is not as it was written: the stage resumes all the same where the planner comes to its key again. */
function readBegun(host: Host, folder: string, key: string): readonly Begun[] {
  const path = join(folder, BEGUN_FILE);
  if (host.stat(path) === undefined) return [];
  const record = parseChecked(BEGUN_RECORD, host.readText(path));
  if (record instanceof JsonFault || record.key !== key) return [];
  return [{ key, parts: renamed(record.parts, newPartName) }];
}

/** Other failures say nothing about the entry: too many open files, say. */
const NO_RECORD: readonly HostErrorCode[] = ['not_found', 'is_folder', 'no_file', 'io'];
