/**
 * How fast rows are checked and formatted: `npm run bench -- data`, next to others in the Python that `FTPC_PYTHON`
 * names. Near duplicates are found by text-dedup and by datatrove; Hugging Face's `datasets` and `tokenizers` render,
 * tokenize and mask the same rows and save them.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { finite, jsonLines, tryJson } from '../../src/language/host/json.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { RUN_EVENT } from '../../src/language/ir/events.js';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import type { BenchmarkOptions } from '../benchmark.js';
import { writeRows } from './rows.js';

const ROWS = 300_000;
const QUICK_ROWS = 20_000;
/** Times of the peer's seconds, at most. */
const TARGET = 0.8;
const MOST_TOKENS = 1024;
const SIMILARITY = 0.85;

const FTPC = fileURLToPath(new URL('../../bin/main.js', import.meta.url));
const STARTER = join(nodeHost().packageFolder, 'stdlib', 'models', 'starter');

const PIPELINE = `edition 2026
import { jsonl } from "std/data"
import { chat } from "std/format"

data rows {
  source = jsonl("rows.jsonl")
  dedupe = [exact, near(${SIMILARITY})]
  split = { train: 90%, valid: 5%, test: 5% }
}
data unchecked {
  source = jsonl("rows.jsonl")
  dedupe = []
}
format dialogs {
  from = unchecked
  template = chat()
  model = starter()
  max_length = ${MOST_TOKENS}tok
}
`;

interface Measured {
  readonly seconds: number;
  readonly peakBytes: number;
  /** Rows that are kept, which tells whether both did the same. */
  readonly rows: number;
}

const SAID = v.object({ seconds: finite, peakBytes: finite, rows: finite });

interface Measurement {
  readonly stage: string;
  /** Scripts in `bench/peers`, by what they measure. */
  readonly peers: Readonly<Record<string, string>>;
  /** Its arguments, of a folder with rows and a number of processes. */
  readonly words: (folder: string, cores: number) => readonly string[];
}

const MEASURED = {
  data: {
    stage: 'rows',
    peers: { 'text-dedup': 'dedupe_rows.py', datatrove: 'dedupe_datatrove.py' },
    words: (folder, cores) => [folder, String(cores), String(SIMILARITY)],
  },
  format: {
    stage: 'dialogs',
    peers: { 'datasets and tokenizers': 'format_rows.py' },
    words: (folder, cores) => [folder, STARTER, String(cores), String(MOST_TOKENS)],
  },
} as const satisfies Readonly<Record<string, Measurement>>;
type Kind = keyof typeof MEASURED;

const HEAD = [
  '| stage | cores | seconds | peak | rows kept | peer | its seconds | its peak | its rows | ratio |',
  '|---|---|---|---|---|---|---|---|---|---|',
];

export async function* data({ quick = false, only = '' }: BenchmarkOptions): AsyncGenerator<string> {
  const host = nodeHost();
  const rows = quick ? QUICK_ROWS : ROWS;
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-rows-'));
  try {
    writeRows(join(folder, 'rows.jsonl'), rows, host.packageFolder);
    writeFileSync(join(folder, 'rows.ftp'), PIPELINE);
    yield `${rows} rows; ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`;
    yield* ['', ...HEAD];
    const python = host.env('FTPC_PYTHON') ?? 'python3';
    for (const cores of [1, 2]) {
      const ours = stagesOf(folder, cores);
      for (const kind of (Object.keys(MEASURED) as Kind[]).filter((name) => name.includes(only)))
        for (const peer of Object.keys(MEASURED[kind].peers))
          yield lineOf(kind, cores, ours.get(MEASURED[kind].stage), {
            name: peer,
            found: theirs(python, kind, peer, folder, cores),
          });
    }
    yield* ['', `target: ${TARGET} of the peer's seconds with as many cores, and 300 MiB at most`];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lineOf(
  kind: Kind,
  cores: number,
  ours: Measured | undefined,
  peer: { readonly name: string; readonly found: Measured | string },
): string {
  if (ours === undefined) throw new Error(`the stage ${kind} did not end`);
  const said = (one: Measured): readonly (string | number)[] => [
    one.seconds.toFixed(1),
    bytes(one.peakBytes),
    one.rows,
  ];
  const cells =
    typeof peer.found === 'string'
      ? [peer.found, '', '', '']
      : [...said(peer.found), ratioOf(ours.seconds / peer.found.seconds)];
  return `| ${[kind, cores, ...said(ours), peer.name, ...cells].join(' | ')} |`;
}

const ratioOf = (ratio: number): string => `${ratio.toFixed(2)}${ratio <= TARGET ? '' : ' (missed)'}`;

/** By the stage; a store of its own, so that nothing is cached. */
function stagesOf(folder: string, cores: number): ReadonlyMap<string, Measured> {
  rmSync(join(folder, '.ftp'), { recursive: true, force: true });
  const said = execFileSync(
    process.execPath,
    [FTPC, 'run', 'rows.ftp', '--json', '--threads', String(cores), '--parallel', '1'],
    {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1e9,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return new Map(
    jsonLines(RUN_EVENT, said).flatMap((event) =>
      event.type === 'stage.finished'
        ? [
            [
              event.stage,
              {
                seconds: event.seconds,
                peakBytes: event.peakMemoryBytes ?? 0,
                rows: event.metrics['rows'] ?? 0,
              },
            ] as const,
          ]
        : [],
    ),
  );
}

/** What it says, or why it does not. */
function theirs(python: string, kind: Kind, peer: string, folder: string, cores: number): Measured | string {
  const { peers, words }: Measurement = MEASURED[kind];
  const script = join(nodeHost().packageFolder, 'bench', 'peers', peers[peer] ?? '');
  try {
    const said = execFileSync(python, [script, ...words(folder, cores)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1e9,
    });
    return tryJson(SAID, said.trim().split('\n').at(-1) ?? '') ?? 'not measured: it said nothing';
  } catch (error) {
    const { stderr = '' } = error as { readonly stderr?: string };
    return `not measured: ${stderr.trim().split('\n').at(-1) ?? ''}`;
  }
}
