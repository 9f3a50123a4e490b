import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { JsonFault } from '../../language/host/json.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { nodeHost } from '../../language/host/node-host.js';
import {
  discard,
  isOwn,
  type OwnForm,
  removeEmpty,
  removeOwn,
  sweepOwn,
} from '../../language/host/own-files.js';
import { firstDamage } from '../../language/host/seal-damage.js';
import { parseChecked } from '../../language/host/self-check.js';
import { BEGUN_FILE, type WorkFolder } from '../../language/ir/outputs.js';
import { syncFolder, writeWhole } from './durable.js';
import { inside, openPages, outputFolder } from './output-folder.js';
import { COMMIT, LIST } from './seal.js';
import { commitInThread } from './seal-in-thread.js';
import { corruptCheckpoint, writing } from './store-diagnostics.js';

/** Names of folders that are being written or removed start with this, and are never read. */
export const UNFINISHED = '.unfinished-';

/** What is needed only while a stage runs. */
export const SCRATCH = `${UNFINISHED}scratch`;

/** Where the ranks of the accelerate engine have their checkpoints: whole ones, by a rename, with a list that is written last. */
const RANKS = 'checkpoints';

const BEGUN: OwnForm = { name: new RegExp(`^\\${UNFINISHED}`), kinds: ['file', 'folder'] };
/** What its key is made of, and what ranks write. */
const NAMED: OwnForm = {
  name: new RegExp(`^(?:${BEGUN_FILE}|${RANKS}|references|result)$`),
  kinds: ['file', 'folder'],
};
const COMMITTED: OwnForm = { name: /^/, kinds: ['folder'] };

/** How something in a work folder is ftpc's; `undefined` if somebody else has put it there. */
const formIn = (path: string, name: string): OwnForm | undefined =>
  existsSync(join(path, name, LIST))
    ? COMMITTED
    : [BEGUN, NAMED].find((form) => isOwn(join(path, name), form));

/** Whether a work folder has something of ftpc's, or nothing at all. */
export function hasOwn(path: string): boolean {
  const names = namesIn(path);
  return names.length === 0 || names.some((name) => formIn(path, name) !== undefined);
}

/** Whether everything in a work folder is ftpc's. */
export const isAllOwn = (path: string): boolean =>
  namesIn(path).every((name) => formIn(path, name) !== undefined);

/** Removes what ftpc has put into a work folder, and the folder where nothing else is in it. Throws what the system says. */
export function emptyWork(root: string, path: string): void {
  for (const name of namesIn(path)) {
    const form = formIn(path, name);
    if (form !== undefined) removeOwn(join(path, name), form, root);
  }
  removeEmpty(path);
}

/**
 * Checkpoints that survive a kill at any moment: each folder is written under another name, forced to disk
 * and renamed, so that it is complete or absent; its digests are checked when it is read.
 */
export function workFolder(path: string, warn: (diagnostic: Diagnostic) => void): WorkFolder {
  writing(path, undefined, () => makeFolders(path));
  for (const name of readdirSync(path)) sweepOwn(join(path, name), BEGUN, dirname(dirname(path)));
  const remove = (name: string): void => {
    const from = inside(path, name);
    const aside = join(path, `${UNFINISHED}removed-${name.replaceAll('/', '-')}`);
    discard(aside);
    // Renamed first: a kill in the middle of a removal must not leave half a checkpoint under its name.
    writing(from, undefined, () => {
      renameSync(from, aside);
      discard(aside);
    });
  };
  const damaged = new Set<string>();
  return {
    path,
    commit: async (name, files) => {
      const target = inside(path, name);
      const temporary = join(path, `${UNFINISHED}${name}`);
      discard(temporary);
      try {
        // into the system's cache: what is being trained may change as soon as this is done
        for (const [file, content] of Object.entries(files))
          writeWhole(inside(temporary, file), content, { sync: false });
        await commitInThread(temporary);
        if (isCommit(target)) remove(name);
        writing(target, undefined, () => renameSync(temporary, target));
        syncFolder(path);
        damaged.delete(name);
      } catch (error) {
        discard(temporary);
        throw error;
      }
    },
    committed: () =>
      readdirSync(path)
        .filter((name) => !name.startsWith(UNFINISHED) && isCommit(join(path, name)))
        .filter((name) => {
          const damage = damageOf(join(path, name));
          if (damage !== undefined && !damaged.has(name)) {
            damaged.add(name);
            warn(corruptCheckpoint(join(path, name), damage));
          }
          return damage === undefined;
        })
        .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
    remove,
    scratch() {
      const folder = join(path, SCRATCH);
      discard(folder);
      writing(folder, undefined, () => makeFolders(folder));
      return outputFolder(folder);
    },
    pages: (name) => openPages(inside(path, `${UNFINISHED}${name}`)),
  };
}

function isCommit(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    return false;
  }
}

function damageOf(folder: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, LIST), 'utf8');
  } catch {
    return `\`${LIST}\` cannot be read`;
  }
  const commit = parseChecked(COMMIT, text);
  if (commit instanceof JsonFault) return `\`${LIST}\` has another form: ${commit.detail}`;
  return firstDamage(nodeHost(folder), folder, commit.files, { look: 'all' });
}

/** Whether a work folder holds a complete checkpoint, without making or cleaning anything. */
export function hasCheckpoint(path: string): boolean {
  const isWhole = (name: string): boolean =>
    !name.startsWith(UNFINISHED) && damageOf(join(path, name)) === undefined;
  return namesIn(path).some(isWhole) || namesIn(join(path, RANKS)).some((name) => isOfRanks(path, name));
}

const isOfRanks = (path: string, name: string): boolean =>
  !name.endsWith('.partial') && existsSync(join(path, RANKS, name, 'manifest.json'));

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
