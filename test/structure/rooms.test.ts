import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/source/node-host.js';

/**
 * The rooms of the house, in the order in which text becomes artefacts: a file may import from its own
 * room and from those before it. `docs/architecture.md` says what stands in each.
 */
const ROOMS: readonly { readonly name: string; readonly paths: readonly RegExp[] }[] = [
  { name: 'source', paths: [/^src\/source\//] },
  { name: 'diagnostics', paths: [/^src\/diagnostics\//] },
  { name: 'grammar', paths: [/^grammar\//] },
  { name: 'syntax', paths: [/^src\/syntax\//] },
  { name: 'formatter', paths: [/^src\/formatter\//] },
  { name: 'ir', paths: [/^src\/ir\//] },
  {
    name: 'stage schemas',
    paths: [
      /^src\/stages\/(budget|repositories|schemas?|types)\.ts$/,
      /^src\/stages\/functions\//,
      /^src\/stages\/[a-z]+\/schema\.ts$/,
    ],
  },
  { name: 'check', paths: [/^src\/check\//, /^src\/compile\.ts$/] },
  { name: 'lint', paths: [/^src\/lint\//] },
  { name: 'tensor', paths: [/^src\/tensor\//] },
  { name: 'models', paths: [/^src\/models\//] },
  { name: 'training', paths: [/^src\/training\//] },
  { name: 'evaluation', paths: [/^src\/evaluation\//] },
  { name: 'packaging', paths: [/^src\/packaging\//] },
  { name: 'deploy', paths: [/^src\/deploy\//] },
  { name: 'stages', paths: [/^src\/stages\//] },
  { name: 'store', paths: [/^src\/store\//] },
  { name: 'hub', paths: [/^src\/hub\//] },
  { name: 'lock', paths: [/^src\/lock\//] },
  { name: 'planner', paths: [/^src\/planner\//] },
  { name: 'review', paths: [/^src\/review\//] },
  { name: 'run', paths: [/^src\/run\//] },
  { name: 'install', paths: [/^src\/install\//] },
  { name: 'report', paths: [/^src\/report\//] },
  { name: 'insight', paths: [/^src\/insight\//] },
  { name: 'pipeline tests', paths: [/^src\/pipeline-tests\//] },
  { name: 'language server', paths: [/^src\/language-server\//] },
  { name: 'cli', paths: [/^src\/cli\//] },
];

/** Rooms that may touch files, processes and the clock themselves; the others have a Host. */
const RIM = new Set(['store', 'hub', 'run', 'install', 'cli']);
const RIM_FILES = new Set(['disk', 'folders', 'glob', 'host'].map((what) => `src/source/node-${what}.ts`));
const SYSTEM_MODULES = /^node:(fs|fs\/promises|child_process|process|os|net|http|https|worker_threads)$/;

/** Files that import each other, types included, because what they define does: nothing else may, and the list may only shrink. */
const CIRCLES: readonly { readonly files: RegExp; readonly why: string }[] = [
  {
    files: /^src\/check\/(calls|evaluate|fields|unions)\.ts$/,
    why: 'an expression consists of expressions',
  },
  {
    files: /^src\/check\/(context|scope|symbols)\.ts$/,
    why: 'a name may be a preset, which is checked among the names of its own file',
  },
  {
    files: /^src\/tensor\/(builder|ops\/[a-z-]+)\.ts$/,
    why: 'the gradient of an op is a graph of ops',
  },
  {
    files: /^src\/cli\/commands\/(completion|index)\.ts$/,
    why: 'a command completes the names of all commands',
  },
];

/** Lines above which a source file needs a reason. */
const LONGEST_FILE = 500;

const root = nodeHost().packageFolder;

const files = ['grammar', 'src'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name))),
);

const roomOf = (file: string): number =>
  ROOMS.findIndex((room) => room.paths.some((path) => path.test(file)));

interface Import {
  readonly from: string;
  readonly to: string;
}

const imports: readonly Import[] = files.flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => {
    const to = match[1] ?? '';
    return {
      from,
      to: to.startsWith('.') ? relative(root, resolve(root, dirname(from), to)).replace(/\.js$/, '.ts') : to,
    };
  });
});

/** Groups of files of which each imports every other, if by way of others. */
function circles(): readonly string[][] {
  const next = new Map(files.map((file) => [file, new Set<string>()]));
  for (const { from, to } of imports) if (next.has(to)) next.get(from)?.add(to);
  const reached = (file: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    const open = [file];
    for (let at = open.pop(); at !== undefined; at = open.pop())
      for (const to of next.get(at) ?? [])
        if (!seen.has(to)) {
          seen.add(to);
          open.push(to);
        }
    return seen;
  };
  const inCircles = new Map(
    files.flatMap((file) => {
      const seen = reached(file);
      return seen.has(file) ? [[file, seen] as const] : [];
    }),
  );
  const found = [...inCircles].map(([file, seen]) =>
    [...seen].filter((other) => inCircles.get(other)?.has(file)).sort(),
  );
  return [...new Map(found.map((circle) => [circle.join(), circle])).values()];
}

describe('the house', () => {
  it('has a room for every file', () => {
    expect(files.filter((file) => roomOf(file) < 0)).to.deep.equal([]);
  });

  it('imports only from the same room or an earlier one', () => {
    const wrong = imports
      .filter(({ from, to }) => /^(src|grammar)\//.test(to) && roomOf(to) > roomOf(from))
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(wrong).to.deep.equal([]);
  });

  it('has files that import each other only where what they define does', () => {
    const found = circles().map((circle) => circle.sort().join(' '));
    const allowed = ({ files: pattern }: (typeof CIRCLES)[number]) =>
      found.filter((circle) => circle.split(' ').every((file) => pattern.test(file)));
    expect(found.filter((circle) => !CIRCLES.flatMap(allowed).includes(circle))).to.deep.equal([]);
    expect(CIRCLES.filter((circle) => allowed(circle).length !== 1)).to.deep.equal([]);
  });

  it('touches files, processes and the clock only at the rim', () => {
    const wrong = imports
      .filter(
        ({ from, to }) =>
          SYSTEM_MODULES.test(to) && !RIM_FILES.has(from) && !RIM.has(ROOMS[roomOf(from)]?.name ?? ''),
      )
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(wrong).to.deep.equal([]);
  });

  it('keeps its files short', () => {
    const long = files.filter(
      (file) =>
        !/\.generated\.ts$/.test(file) &&
        readFileSync(join(root, file), 'utf8').split('\n').length > LONGEST_FILE,
    );
    expect(long).to.deep.equal([]);
  });
});
