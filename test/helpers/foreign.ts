/** What is somebody else's, of every kind, in a place that ftpc cleans; and whether it is all there as it was. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  type Dirent,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { markOf } from '../../src/language/host/process-identity.js';

type Kind = 'file' | 'folder' | 'link' | 'pipe' | 'socket';

/** What is put under which name. */
export type Names = Readonly<Record<string, Kind>>;

export interface Foreign {
  /** Puts something of each kind into a folder; and under `names`, which look like ftpc's, what is not ftpc's. */
  plant(folder: string, names?: Names): Promise<void>;
  /** Throws where anything of it, or of what its links lead to, is not as it was planted. */
  check(): void;
  remove(): void;
  /** Gives all files of it the time of a year ago, as what is forgotten has. */
  age(): void;
}

/** The mark of a process that is gone, in the name of what it was writing. */
export const deadMark = (): string => markOf().replace(/^(\d+)-\d*/, '$1-1');

export function foreign(): Foreign {
  const outside = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-outside-')));
  const planted: string[] = [outside];
  const readOnly: string[] = [];
  let count = 0;
  const folder = (path: string): void => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'thesis.tex'), `years of work, ${count++}`);
  };
  folder(join(outside, 'folder'));
  const make: Readonly<Record<Kind, (path: string) => void | Promise<void>>> = {
    file: (path) => writeFileSync(path, `mine, ${count++}`),
    folder,
    link: (path) => symlinkSync(join(outside, 'folder'), path),
    pipe: (path) => void execFileSync('mkfifo', [path]),
    socket: (path) => socketAt(outside, path),
  };
  const put = async (path: string, kind: Kind): Promise<void> => {
    mkdirSync(dirname(path), { recursive: true });
    await make[kind](path);
    planted.push(path);
  };
  const before = new Map<string, string>();
  return {
    async plant(place, names = {}) {
      const all: Names = {
        ...{ 'notes.txt': 'file', '.hidden': 'file', 'half.tmp': 'file', 'lock.bak': 'file' },
        ...{ mine: 'folder', '.mine': 'folder', 'removed.x': 'folder' },
        ...{ 'a-link': 'link', 'a-pipe': 'pipe', 'a-socket': 'socket' },
        ...names,
      };
      for (const [name, kind] of Object.entries(all)) await put(join(place, name), kind);
      for (const [name, target] of [
        ['link-to-file', join(outside, 'folder/thesis.tex')],
        ['dangling', 'nowhere'],
      ] as const) {
        symlinkSync(target, join(place, name));
        planted.push(join(place, name));
      }
      mkdirSync(join(place, 'empty'));
      await put(join(place, 'read-only'), 'folder');
      planted.push(join(place, 'empty'));
      chmodSync(join(place, 'read-only/thesis.tex'), 0o444);
      chmodSync(join(place, 'read-only'), 0o555);
      readOnly.push(join(place, 'read-only'));
      for (const path of planted)
        for (const [one, what] of tree(path)) if (!before.has(one)) before.set(one, what);
    },
    check() {
      const now = new Map(planted.flatMap((path) => [...tree(path)]));
      const lost = [...before].filter(([path, what]) => now.get(path) !== what);
      expect(lost.map(([path, what]) => `${path}: ${what} became ${now.get(path)}`)).to.deep.equal([]);
      expect(
        [...now.keys()].filter((path) => !before.has(path)),
        'came to it',
      ).to.deep.equal([]);
    },
    age() {
      const old = Date.now() / 1000 - 400 * 86_400;
      for (const [path] of before) lutimesSync(path, old, old);
    },
    remove() {
      for (const path of readOnly) if (lstatSync(path, { throwIfNoEntry: false })) chmodSync(path, 0o755);
      rmSync(outside, { recursive: true, force: true });
    },
  };
}

/** Bound where the path is short, as systems want it, and moved. */
async function socketAt(outside: string, path: string): Promise<void> {
  const short = join(outside, 's');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(short, resolve));
  renameSync(short, path);
  await new Promise((resolve) => server.close(resolve));
}

/** Everything at and below a path: its kind and mode, and what it holds or leads to. */
function tree(path: string): readonly (readonly [string, string])[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  const mode = stat.mode.toString(8);
  if (stat.isSymbolicLink()) return [[path, `${mode} ${readlinkSync(path)}`]];
  if (stat.isFile())
    return [[path, `${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`]];
  if (!stat.isDirectory()) return [[path, mode]];
  const inside = readdirSync(path, { withFileTypes: true });
  return [[path, mode], ...inside.flatMap((entry: Dirent) => tree(join(path, entry.name)))];
}
