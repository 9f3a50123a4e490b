/** A run's journal as the lines that the terminal had, and what the processes of its stages printed. */
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { noStageOfRun } from '../../../language/diagnostics/catalogue/housekeeping.js';
import { prettyDiagnostic } from '../../../language/diagnostics/render/index.js';
import { type Diagnostic, type Severity, UserError } from '../../../language/diagnostics/types.js';
import { anyObject, type Json, tryJson } from '../../../language/host/json.js';
import { RUN_EVENT } from '../../../language/ir/events.js';
import { printedPath, stageOfPrinted } from '../../../pipeline/run/printed.js';
import {
  foundLock,
  journalPath,
  layoutOf,
  lineReader,
  readJournal,
  runFolder,
} from '../../../pipeline/store/index.js';
import { printable, printableIn } from '../../insight/safe-text.js';
import { type CliContext, messageWidth } from '../cli-context.js';
import { linesView } from '../progress/views.js';
import { summaryLines } from '../summary.js';

interface LogsRequest {
  readonly runId: string;
  readonly stage?: string;
  readonly follow: boolean;
  readonly json: boolean;
}

/** Milliseconds between two looks at a run that is followed. */
const LOOK = 200;

/** How the run ended, as its last event has it; `undefined` if it did not, or not yet. */
export async function showLogs(context: CliContext, request: LogsRequest): Promise<string | undefined> {
  const { runId, stage, follow, json } = request;
  const layout = layoutOf(context.host);
  const journal = growing(journalPath(layout, runId));
  const show = json ? jsonShower(context) : shower(context);
  let known = stage === undefined;
  let read: ReturnType<typeof lineReader> | undefined;
  let status: string | undefined;
  for (;;) {
    // looked at before the journal is read: what is written last is not missed
    const over = !follow || !isAtWork(context, runId);
    for (const line of journal.lines()) {
      read ??= lineReader(line);
      const event = tryJson(anyObject, read(line) ?? '');
      if (event === undefined) continue;
      if (event['type'] === 'run.finished') status = String(event['status']);
      known ||= event['stage'] === stage;
      if (stage === undefined || event['stage'] === stage) show.event(event);
    }
    for (const [name, text] of printedSince(context, request)) show.printed(name, text);
    if (over || status !== undefined) break;
    await sleep(LOOK);
  }
  if (!known && stage !== undefined)
    throw new UserError(noStageOfRun(runId, stage, stagesOf(context, runId)));
  return status;
}

function isAtWork({ host }: CliContext, runId: string): boolean {
  const lock = foundLock(layoutOf(host));
  return lock?.runId === runId && lock.state !== 'gone';
}

interface Shower {
  event(event: Json): void;
  printed(stage: string, text: string): void;
}

/** The journal as it is. */
const jsonShower = ({ out }: CliContext): Shower => ({
  event: (event) => out(JSON.stringify(event)),
  printed: (stage, text) => out(JSON.stringify({ type: 'printed', stage, text })),
});

function shower(context: CliContext): Shower {
  const { colours, width, out } = context;
  let at = 0;
  const host = { ...context.host, clock: () => at };
  const view = linesView({ ...context, host, colours: { ...colours, err: colours.out } }, out);
  return {
    event: (read) => {
      const { at: time, ...fields } = printableIn(read);
      if (typeof time === 'number') at = time;
      if (fields['type'] === 'diagnostic') {
        out(prettyDiagnostic(diagnosticOf(fields), new Map(), colours.out, messageWidth(context)));
        return;
      }
      const event = tryJson(RUN_EVENT, JSON.stringify(fields));
      if (event === undefined) return;
      view.event(event);
      if (event.type !== 'run.finished' || event.stages.length === 0) return;
      out('');
      for (const line of summaryLines(event.stages, colours.out, width)) out(line);
    },
    printed: (stage, text) => {
      for (const line of printable(text).replace(/\n$/, '').split('\n'))
        out(`${colours.out.dim(`${stage} printed:`)} ${line}`);
    },
  };
}

/** As its event has it: without the text that it points into, which may be another one by now. */
function diagnosticOf(fields: Json): Diagnostic {
  const text = (name: string): string | undefined =>
    typeof fields[name] === 'string' ? fields[name] : undefined;
  const place = (name: string): number => (typeof fields[name] === 'number' ? fields[name] : 0);
  const file = text('file');
  const { notes } = fields;
  return {
    code: text('code') ?? '',
    severity: (text('severity') as Severity | undefined) ?? 'error',
    message: text('message') ?? '',
    ...(file === undefined || file === ''
      ? {}
      : { at: { file, line: place('line'), column: place('column') } }),
    ...(text('help') === undefined ? {} : { help: text('help') }),
    ...(Array.isArray(notes) ? { notes: notes.map(String) } : {}),
  };
}

/** Names of the stages that a run has begun. */
function stagesOf(context: CliContext, runId: string): readonly string[] {
  const events = readJournal(layoutOf(context.host), runId);
  return [
    ...new Set(
      events.flatMap((event) => ('stage' in event && typeof event.stage === 'string' ? [event.stage] : [])),
    ),
  ];
}

/** By path: how far each file was shown. */
const shown = new Map<string, Growing>();

/** What the stages have printed since the last call. */
function printedSince(
  { host }: CliContext,
  { runId, stage }: LogsRequest,
): readonly (readonly [string, string])[] {
  const layout = layoutOf(host);
  const folder = runFolder(layout, runId);
  return host
    .list(folder)
    .map(stageOfPrinted)
    .filter((name) => name !== undefined && (stage === undefined || name === stage))
    .flatMap((name = '') => {
      const path = printedPath(layout, runId, name);
      const file = shown.get(path) ?? growing(path);
      shown.set(path, file);
      const text = file.lines().join('\n');
      return text === '' ? [] : [[name, text] as const];
    });
}

interface Growing {
  /** Whole lines that were added since the last call. */
  lines(): readonly string[];
}

/** A file that another process adds to. */
function growing(path: string): Growing {
  let position = 0;
  let rest = Buffer.alloc(0);
  return {
    lines: () => {
      const read = readFrom(path, position);
      position += read.byteLength;
      const all = Buffer.concat([rest, read]);
      const end = all.lastIndexOf(0x0a) + 1;
      rest = all.subarray(end);
      return all.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
    },
  };
}

function readFrom(path: string, position: number): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return Buffer.alloc(0);
  }
  try {
    const chunks: Buffer[] = [];
    for (let at = position; ; ) {
      const chunk = Buffer.alloc(1 << 16);
      const count = readSync(file, chunk, 0, chunk.byteLength, at);
      if (count === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, count));
      at += count;
    }
  } finally {
    closeSync(file);
  }
}
