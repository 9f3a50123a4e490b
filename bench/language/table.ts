/** What the language costs: checking a pipeline as `ftpc check` does, lints included. Milliseconds. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host } from '../../src/language/host/host.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { checkFile } from '../../src/language/lint/index.js';
import { columns } from '../../src/pipeline/planner/render/columns.js';
import type { BenchmarkOptions } from '../benchmark.js';
import { keystrokes } from './keystroke.js';
import { asYaml, YamlChecker } from './peer.js';
import { chains, mistakes, pipelineOf64Lines, rowsOnly, strayLines } from './texts.js';

interface Row {
  readonly what: string;
  readonly own: number;
  /** What it has to stay below. */
  readonly most: number;
  readonly peer?: { readonly name: string; readonly time: number };
}

const root = nodeHost().packageFolder;
const folder = join(root, 'pipelines');

export async function* language({ only = '' }: BenchmarkOptions): AsyncGenerator<string> {
  const wanted = Object.entries(cases).filter(([what]) => what.includes(only));
  const rows: Row[] = [];
  for (const [what, measure] of wanted) {
    console.error(what);
    rows.push({ what, ...(await measure()) });
  }
  yield* table(rows);
}

const MANY = 10_000;

const cases: Readonly<Record<string, () => Promise<Omit<Row, 'what'>> | Omit<Row, 'what'>>> = {
  'a pipeline of 64 lines': () => besideYaml(pipelineOf64Lines(), 2),
  '10,000 lines, every kind of stage': () => besideYaml(chains(MANY), 150),
  '10,000 lines of data stages': () => besideYaml(rowsOnly(MANY), 150),
  '10,000 lines, two mistakes a stage': () => ({ own: median(checking(mistakes(MANY))), most: 5000 }),
  '16,000 lines that are no pipeline': () => ({ own: median(checking(strayLines(16_000))), most: 5000 }),
  'ftpc check legal.ftp, a process': () => {
    const main = fileURLToPath(new URL('../../bin/main.js', import.meta.url));
    const bare = median(running('-e', ''), 30);
    const own = median(running(main, 'check', 'pipelines/legal.ftp'), 30);
    return { own, most: bare + 150, peer: { name: 'node alone', time: bare } };
  },
  'a keystroke in 1,000 lines, to its diagnostics': async () => ({
    own: (await typed()).diagnostics.median,
    most: 20,
  }),
  'a keystroke in 1,000 lines, to its diagnostics, 95 of 100': async () => ({
    own: (await typed()).diagnostics.p95,
    most: 20,
  }),
  'a keystroke in 1,000 lines, to its completion': async () => ({
    own: (await typed()).completion.median,
    most: 20,
  }),
  'a keystroke in 1,000 lines, to its completion, 95 of 100': async () => ({
    own: (await typed()).completion.p95,
    most: 20,
  }),
};

let keys: ReturnType<typeof keystrokes> | undefined;
/** Typed once for all rows. */
const typed = (): ReturnType<typeof keystrokes> => {
  keys ??= keystrokes(1000);
  return keys;
};

function besideYaml(text: string, most: number): Omit<Row, 'what'> {
  const yaml = asYaml(text);
  const checker = new YamlChecker();
  const peer = { name: 'YAML and its schema', time: median(() => checker.check(yaml)) };
  return { own: median(checking(text)), most, peer };
}

/** The check of a text next to the real files that it names. */
function checking(text: string): () => void {
  const disk = nodeHost(folder);
  const path = join(folder, 'measured.ftp');
  const host: Host = { ...disk, readText: (asked) => (asked === path ? text : disk.readText(asked)) };
  return () => void checkFile(host, 'measured.ftp');
}

function running(...words: readonly string[]): () => void {
  return () => {
    const { error, status } = spawnSync(process.execPath, words, { cwd: root });
    if (error !== undefined || status !== 0)
      throw error ?? new Error(`${words.join(' ')} ended with ${status}`);
  };
}

/** Of as many runs as fit into two seconds, `most` at most, after some that warm up. */
function median(run: () => void, most = 500): number {
  const times: number[] = [];
  const started = performance.now();
  for (let i = 0; i < most && (i < 3 || performance.now() - started < 2000); i++) {
    const before = performance.now();
    run();
    times.push(performance.now() - before);
  }
  const warm = times.slice(Math.min(times.length - 1, Math.ceil(times.length / 4))).sort((a, b) => a - b);
  return warm[warm.length >> 1] ?? Number.NaN;
}

function table(rows: readonly Row[]): readonly string[] {
  const titles = ['', 'ms', 'limit', 'kept', 'peer', 'ms', 'ratio'];
  const shown = (value: number): string => value.toFixed(value < 10 ? 2 : 0);
  const cells = rows.map(({ what, own, most, peer }) => [
    ...[what, shown(own), shown(most), own < most ? 'yes' : 'NO'],
    ...(peer === undefined ? ['–', '–', '–'] : [peer.name, shown(peer.time), (own / peer.time).toFixed(2)]),
  ]);
  return columns([titles, ...cells], { right: [1, 2, 5, 6] });
}
