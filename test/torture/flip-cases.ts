/** One flipped bit, and what everything that reads the file makes of it. */
import { closeSync, openSync, readdirSync, readSync, statSync, utimesSync, writeSync } from 'node:fs';
import { join, sep } from 'node:path';
import { nodeDisk } from '../../src/language/host/node-disk.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { BEGUN_FILE } from '../../src/language/ir/outputs.js';
import { findRelease, type ReleaseAccess, verifyRelease } from '../../src/pipeline/deploy/releases.js';
import { layoutIn, openStore, readJournal, workFolder } from '../../src/pipeline/store/index.js';
import { randomFrom } from '../language/formatter/mangle.js';
import type { Cases } from './cases/cases.js';
import type { TortureOptions } from './kind.js';
import { shuffled } from './order.js';
import { copyScene } from './scenes.js';

/** What a project keeps, of which bits are flipped. */
interface Part {
  /** Absolute paths. */
  files(project: string): readonly string[];
  /** What is read where a file is concerned, item by item; what is found to be damaged is left out. */
  read(project: string, file: string): readonly unknown[];
}

const below = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

const firstIn = (folder: string): string => join(folder, readdirSync(folder).sort()[0] ?? '');

const access: ReleaseAccess = { host: nodeHost(), disk: nodeDisk() };

const PARTS: Readonly<Record<string, Part>> = {
  checkpoint: {
    files: (project) =>
      below(firstIn(join(project, '.ftp/work'))).filter((file) => !file.endsWith(BEGUN_FILE)),
    // its files have the digests that its list says, so that they are what was saved
    read: (project) => workFolder(firstIn(join(project, '.ftp/work')), () => undefined).committed(),
  },
  'what a checkpoint is of': {
    files: (project) => [join(firstIn(join(project, '.ftp/work')), BEGUN_FILE)],
    read: (project) => openStore(project).begun(),
  },
  journal: {
    files: (project) => [join(firstIn(join(project, '.ftp/runs')), 'journal.jsonl')],
    read: (project, file) => readJournal(layoutIn(project), file.split(sep).at(-2) ?? ''),
  },
  outputs: {
    files: (project) => below(join(project, '.ftp/store')),
    read: (project, file) => {
      const store = openStore(project);
      const key = file.slice(store.layout.store.length + 1).split(sep)[0] ?? '';
      return [store.find(key, { verify: true })].filter((entry) => entry !== undefined);
    },
  },
  release: {
    files: (project) => below(join(project, 'releases/tiny/0001')),
    read: (project) => {
      const folder = join(project, 'releases/tiny');
      return verifyRelease(access, folder, 1).holds ? [findRelease(access, folder, 1)] : [];
    },
  },
};

interface Flip {
  readonly part: string;
  readonly file: string;
  readonly offset: number;
}

/** Every byte of each part, or as many of each, evenly spread, as add up to `count`; mixed. */
function flipsOf(project: string, seed: number, count: number): readonly Flip[] {
  const parts = Object.entries(PARTS);
  const flips = parts.flatMap(([part, { files }]) => {
    const all = files(project).map((file) => ({ file, size: statSync(file).size }));
    const bytes = all.reduce((sum, { size }) => sum + size, 0);
    if (bytes === 0) throw new Error(`there is no ${part} to be flipped`);
    const wanted = Math.min(bytes, Math.ceil(count / parts.length));
    return Array.from({ length: wanted }, (_, i) => {
      let offset = Math.floor((i * bytes) / wanted);
      const at = all.findIndex(({ size }) => {
        if (offset < size) return true;
        offset -= size;
        return false;
      });
      return { part, file: all[at]?.file ?? '', offset };
    });
  });
  return shuffled(flips, randomFrom(seed));
}

export const countIn = (project: string, count: number): number => flipsOf(project, 1, count).length;

/** In a copy of the project of a training that was interrupted. */
export const PROJECT = 'resumed';

export async function open({ seed, count, folder, shared }: TortureOptions): Promise<Cases> {
  const project = join(folder, 'project');
  copyScene(join(shared, PROJECT), project);
  const flips = flipsOf(project, seed, count);
  const sound = new Map<string, ReadonlySet<string>>();
  const itemsOf = (part: Part, file: string): readonly string[] =>
    part.read(project, file).map((item) => JSON.stringify(item));
  return {
    count: flips.length,
    attempt: async (number) => {
      const flip = flips[number];
      const part = PARTS[flip?.part ?? ''];
      if (flip === undefined || part === undefined) return undefined;
      const { file, offset } = flip;
      const before = sound.get(file) ?? new Set(itemsOf(part, file));
      sound.set(file, before);
      if (before.size === 0) return `${flip.part}: nothing sound was there to be flipped`;
      const bit = Math.floor(randomFrom(seed + number)() * 8);
      flipBit(file, offset, bit);
      try {
        const wrong = itemsOf(part, file).find((item) => !before.has(item));
        return wrong === undefined
          ? undefined
          : `${flip.part}, bit ${bit} of byte ${offset} of ${file.slice(project.length + 1)}: read as ${wrong.slice(0, 300)}`;
      } finally {
        flipBit(file, offset, bit);
      }
    },
  };
}

/** The times of the file stay what they were. */
function flipBit(path: string, offset: number, bit: number): void {
  const { atime, mtime } = statSync(path);
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  byte[0] = (byte[0] ?? 0) ^ (1 << bit);
  writeSync(file, byte, 0, 1, offset);
  closeSync(file);
  utimesSync(path, atime, mtime);
}
