import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Diagnostic } from '../../../../src/language/diagnostics/types.js';
import type { Host } from '../../../../src/language/host/host.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { StageResult } from '../../../../src/language/ir/outputs.js';
import type { Call, Value } from '../../../../src/language/ir/program.js';
import { readDataRows } from '../../../../src/pipeline/stages/data/data-rows.js';
import { runWithin } from '../../../../src/pipeline/stages/data/run.js';
import { ROW_MEMORY, type RowMemory } from '../../../../src/pipeline/stages/data/scratch.js';
import type { SplitName } from '../../../../src/pipeline/stages/data/split.js';
import type { RowEntry } from '../../../../src/pipeline/stages/row-report.js';
import { outputFolder } from '../../../../src/pipeline/store/output-folder.js';
import { workFolder } from '../../../../src/pipeline/store/work-folder.js';
import { contextOf, stageOf } from '../alone.js';

/** A call as the compiler hands it on. */
export const call = (name: string, args: Call['args'] = {}): Call => ({ call: name, args });
export const jsonl = (files: string, columns?: Readonly<Record<string, string>>): Call =>
  call('jsonl', columns === undefined ? { files } : { files, columns });

export const lines = (...rows: readonly unknown[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');
export const pair = (instruction: string, output: string, more: object = {}): object => ({
  instruction,
  output,
  ...more,
});

export interface Report {
  readonly version: number;
  readonly rows: number;
  readonly kept: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly dropped: readonly RowEntry[];
  readonly warnings: readonly RowEntry[];
}

export interface DataRun {
  readonly result: StageResult;
  readonly report: Report;
  readonly rows: (
    split: SplitName,
  ) => readonly { file: string; line: number; row: Record<string, unknown> }[];
  readonly notes: readonly string[];
  readonly warnings: readonly Diagnostic[];
  readonly read: (name: string) => string;
  /** Files that it left where it works. */
  readonly left: readonly string[];
}

const open: string[] = [];

/** Removes what the runs of a test wrote. */
export function cleanUp(): void {
  for (const folder of open.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Runs a data stage on files in a folder of its own. */
export async function runData(
  files: Readonly<Record<string, string | Uint8Array>>,
  settings: Readonly<Record<string, Value>>,
  signal: AbortSignal = new AbortController().signal,
  world: (host: Host) => Host = (host) => host,
  memory: RowMemory = ROW_MEMORY,
): Promise<DataRun> {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-data-test-'));
  open.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const stage = stageOf('data', 'rows', {
    source: jsonl('rows.jsonl'),
    dedupe: [],
    contradictions: 'warn',
    ...settings,
  });
  const host = world(nodeHost(folder));
  const path = join(folder, 'out');
  mkdirSync(path);
  const warnings: Diagnostic[] = [];
  const context = contextOf(stage, folder, {
    output: outputFolder(path),
    work: workFolder(join(folder, 'work'), (warning) => warnings.push(warning)),
    host,
    signal,
    warn: (warning) => warnings.push(warning),
  });
  const result = await runWithin(context, memory);
  return {
    result,
    report: JSON.parse(readFileSync(join(path, 'report.json'), 'utf8')) as Report,
    rows: (split) =>
      [...readDataRows(host, path, split)].map(({ file, line, row }) => ({ file, line, row: { ...row } })),
    notes: context.events.flatMap((event) => (event.type === 'note' ? [event.text] : [])),
    warnings,
    read: (name) => readFileSync(join(path, name), 'utf8'),
    left: readdirSync(join(folder, 'work')),
  };
}
