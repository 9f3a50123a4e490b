/** Projects in places where a program may stumble: read-only, moved, linked, or with names that need care. */
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Kind } from './kind.js';
import {
  difference,
  type Ended,
  eventsOf,
  ftpc,
  isTrace,
  leftovers,
  notRefused,
  notWell,
  outputsOf,
  type RunOptions,
  run,
  STAGES,
} from './project.js';
import { copyScene, type Scene, scenes, wholeScene } from './scenes.js';

interface Shared {
  readonly whole: Scene;
  readonly adapter: Scene;
}

/** What is wrong, in a folder of its own that does not exist yet. */
type Place = (scene: Shared, folder: string) => Promise<string | undefined>;

const NAMES = [
  'with spaces  in it ',
  `it's "quoted" \`here\``,
  'ünïcödé 模型 😀',
  'one\nline\nafter another',
  '-p rows=1; $(touch x) & %41 #x?y',
  'a'.repeat(200),
  '[ab]*{c,d}!(e)',
];

/** Moved there, everything is found again; trained there, the bytes are the same. */
const named =
  (name: string): Place =>
  async ({ whole, adapter }, folder) => {
    const moved = join(folder, name);
    mkdirSync(folder);
    copyScene(whole.folder, moved);
    const found = (await cached(moved)) ?? (await readable(moved));
    if (found !== undefined) return found;
    rmSync(moved, { recursive: true });
    copyScene(adapter.folder, moved);
    return (
      notWell(await run(moved)) ??
      difference(adapter.outputs, outputsOf(moved)) ??
      (leftovers(moved).length === 0 ? undefined : `left behind: ${leftovers(moved).join(', ')}`)
    );
  };

const PLACES: Readonly<Record<string, Place>> = {
  ...Object.fromEntries(NAMES.map((name) => [JSON.stringify(name).slice(0, 60), named(name)])),
  'moved after it ran': async ({ whole }, folder) => {
    copyScene(whole.folder, `${folder}-first`);
    renameSync(`${folder}-first`, folder);
    return cached(folder);
  },
  'through a link': async ({ whole }, folder) => {
    mkdirSync(folder);
    copyScene(whole.folder, join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    return cached(join(folder, 'link'));
  },
  'its store moved to another disk': async ({ whole }, folder) => {
    const project = join(folder, 'project');
    copyScene(whole.folder, project);
    moved(join(project, '.ftp'), join(folder, 'elsewhere'));
    return cached(project);
  },
  'a folder of its store moved to another disk': async ({ whole }, folder) => {
    const [project, elsewhere] = [join(folder, 'project'), join(folder, 'elsewhere')];
    const store = join(project, '.ftp/store');
    copyScene(whole.folder, project);
    moved(store, elsewhere);
    const ended = await run(project);
    const refused = notRefused(ended);
    if (refused !== undefined) return refused;
    if (!`${ended.out}${ended.err}`.includes('FTP0808')) return `refused with another code: ${ended.err}`;
    rmSync(store);
    renameSync(elsewhere, store);
    return cached(project);
  },
  'a read-only project': async ({ whole }, folder) => {
    copyScene(whole.folder, folder);
    return asNobody(folder, [folder], async (uid) => {
      const ended = await run(folder, asUser(uid));
      return (ended.code === 0 ? notWell(ended) : notRefused(ended)) ?? readable(folder, uid);
    });
  },
  'a read-only store, with something to train': async ({ adapter }, folder) => {
    copyScene(adapter.folder, folder);
    const store = join(folder, '.ftp/store');
    const refused = await asNobody(folder, [store], async (uid) =>
      notRefused(await run(folder, asUser(uid))),
    );
    if (refused !== undefined) return refused;
    return notWell(await run(folder)) ?? difference(adapter.outputs, outputsOf(folder));
  },
  'a read-only folder of releases': async ({ whole }, folder) => {
    copyScene(whole.folder, folder);
    return asNobody(folder, [join(folder, 'releases')], async (uid) => cached(folder, uid));
  },
};

/** Moves a folder, and leaves a link to it. */
function moved(from: string, to: string): void {
  renameSync(from, to);
  symlinkSync(to, from);
}

export const places: Kind = {
  doc: 'read-only, moved and linked projects, and names with spaces, quotes, line breaks and more',
  count: Object.keys(PLACES).length,
  short: 1,
  open: async ({ folder, shared, seed, count }) => {
    const whole = await wholeScene(shared);
    const [adapter] = await scenes(shared, ['adapter']);
    const all = Object.entries(PLACES);
    return {
      cases: Math.min(count, all.length),
      run: async (number) => {
        const [name, place] = all[(number + seed - 1) % all.length] ?? [];
        if (place === undefined || adapter === undefined) return [];
        const own = join(folder, `case-${number}`);
        try {
          const what = await place({ whole, adapter }, own);
          return what === undefined ? [] : [{ number, what: `${name}: ${what}` }];
        } finally {
          rmSync(own, { recursive: true, force: true });
        }
      },
    };
  },
};

/** A run that finds everything done. */
async function cached(folder: string, uid?: number): Promise<string | undefined> {
  const ended = await run(folder, asUser(uid));
  return notWell(ended) ?? notCached(ended);
}

function notCached(ended: Ended): string | undefined {
  const statuses = eventsOf(ended)
    .filter(({ type }) => type === 'stage.finished')
    .map(({ stage, status }) => `${stage} ${status}`);
  const expected = STAGES.map((stage) => `${stage} cached`);
  return statuses.join() === expected.join() ? undefined : `not all was found: ${statuses.join(', ')}`;
}

/** What only looks works wherever it may read. */
async function readable(folder: string, uid?: number): Promise<string | undefined> {
  for (const words of [
    ['check', 'tiny.ftp'],
    ['plan', 'tiny.ftp'],
    ['metrics'],
    ['releases', 'releases/tiny', '--verify'],
    ['generate', 'releases/tiny', 'Why?', '--max-tokens', '2'],
  ]) {
    const ended = await ftpc(folder, words, asUser(uid));
    if (ended.code !== 0 || isTrace(ended))
      return `\`ftpc ${words.join(' ')}\` ended with ${ended.code ?? ended.signal}: ${ended.err.slice(-500)}`;
  }
  return undefined;
}

/** A user who has no home of its own cannot have this one's. */
const asUser = (uid: number | undefined): RunOptions =>
  uid === undefined ? {} : { uid, env: { HOME: '/nonexistent', XDG_CACHE_HOME: '/nonexistent' } };

/** The user who may do nothing, as whom everything runs here where this process may do all. */
const NOBODY = 65_534;

/** Takes the right to write away from folders while something is tried in a project. */
async function asNobody(
  project: string,
  folders: readonly string[],
  attempt: (uid: number | undefined) => Promise<string | undefined>,
): Promise<string | undefined> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) give(project, NOBODY);
  for (const folder of folders) writable(folder, false);
  try {
    return await attempt(isRoot ? NOBODY : undefined);
  } finally {
    for (const folder of folders) writable(folder, true);
    if (isRoot) give(project, 0);
  }
}

const entries = (folder: string) => readdirSync(folder, { recursive: true, withFileTypes: true });

function give(project: string, owner: number): void {
  for (const entry of entries(project)) lchownSync(join(entry.parentPath, entry.name), owner, owner);
  chownSync(project, owner, owner);
  // it has to be reached, too
  chmodSync(dirname(project), 0o755);
}

function writable(folder: string, yes: boolean): void {
  for (const entry of entries(folder))
    if (!entry.isSymbolicLink())
      chmodSync(
        join(entry.parentPath, entry.name),
        (yes ? 0o644 : 0o444) | (entry.isDirectory() ? 0o111 : 0),
      );
  chmodSync(folder, yes ? 0o755 : 0o555);
}
