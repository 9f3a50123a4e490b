/** Diagnostics, pushed with the version of the text that they refer to. */
import type { Diagnostic as LspDiagnostic, Range } from 'vscode-languageserver';
import { DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver/node.js';
import { COMMAND_LINE } from '../../../language/diagnostics/catalogue/params.js';
import { isTestFile } from '../../../language/diagnostics/catalogue/syntax.js';
import type { Diagnostic, Severity } from '../../../language/diagnostics/types.js';
import { lintReport } from '../../../language/lint/index.js';
import type { SourceMap } from '../../../language/source/text.js';
import { checkReferences } from '../../../pipeline/prepare/check-references.js';
import { checkTraining } from '../../../pipeline/stages/train/check.js';
import { readTests } from '../../pipeline-tests/index.js';
import { pageUri } from '../package-files.js';
import { toRange } from '../positions.js';
import { type Compilation, pathOf } from '../projects.js';
import type { Session } from '../session.js';

const SEVERITY: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

/** A parameter without a value is wrong when a pipeline runs, and not while it is written. */
const WHEN_IT_RUNS = new Set(['FTP0502']);

const UNUSED = new Set(['FTP0209']);

/** Sends what has changed since it was last sent. */
export class DiagnosticsPublisher {
  private readonly sent = new Map<string, string>();

  constructor(private readonly session: Session) {}

  publish(): void {
    const { open, connection } = this.session;
    const byFile = findingsByFile(this.session);
    const gone = [...this.sent.keys()].filter((path) => !byFile.has(path)).map((path) => [path, []] as const);
    for (const [path, found] of [...byFile, ...gone]) {
      const file = open.get(path);
      const diagnostics = found.map((one) => shown(one, this.session));
      const text = JSON.stringify([file?.version, diagnostics]);
      if (this.sent.get(path) === text) continue;
      if (byFile.has(path)) this.sent.set(path, text);
      else this.sent.delete(path);
      void connection.sendDiagnostics({ uri: open.uriOf(path), version: file?.version, diagnostics });
    }
  }

  /** The editor has closed the document, and with it the diagnostics of a name that no file has. */
  closed(path: string, uri: string): void {
    if (!this.sent.delete(path)) return;
    void this.session.connection.sendDiagnostics({ uri, diagnostics: [] });
  }
}

export function shown(found: Finding, session: Session): LspDiagnostic {
  const { diagnostic } = found;
  const { code, severity } = diagnostic;
  return {
    range: rangeOf(found),
    severity: WHEN_IT_RUNS.has(code) ? DiagnosticSeverity.Information : SEVERITY[severity],
    code,
    codeDescription: { href: pageUri(session.projects, code) },
    source: 'ftpc',
    message: messageOf(diagnostic),
    ...(UNUSED.has(code) ? { tags: [DiagnosticTag.Unnecessary] } : {}),
    relatedInformation: related(found, session),
  };
}

const messageOf = ({ message, notes, help }: Diagnostic): string =>
  [
    message,
    ...(notes ?? []).map((note) => `note: ${note}`),
    ...(help === undefined ? [] : [`help: ${help}`]),
  ].join('\n');

const START: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

export function rangeOf({ diagnostic: { at }, sources }: Finding): Range {
  if (at === undefined) return START;
  if (!('start' in at)) {
    const place = { line: Math.max(0, at.line - 1), character: Math.max(0, at.column - 1) };
    return { start: place, end: place };
  }
  const source = sources.get(at.file);
  return source === undefined ? START : toRange(source, at);
}

const related = ({ diagnostic, compiled, sources }: Finding, { open }: Session) =>
  (diagnostic.related ?? []).flatMap(({ at, message }) => {
    const source = sources.get(at.file);
    if (source === undefined) return [];
    return [
      { message, location: { uri: open.uriOf(pathOf(compiled, at.file)), range: toRange(source, at) } },
    ];
  });

export interface Finding {
  readonly diagnostic: Diagnostic;
  /** The compilation that found it. */
  readonly compiled: Compilation;
  /** Files that it refers to. */
  readonly sources: SourceMap;
}

interface FileFindings {
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: SourceMap;
}

const ofCompilation = new WeakMap<Compilation, FileFindings>();

/** Of the compiler and the linter; looked for once in each compilation. */
function findingsOf(compiled: Compilation): FileFindings {
  const known = ofCompilation.get(compiled);
  if (known !== undefined) return known;
  const findings = isTestFile(compiled.path)
    ? readTests(compiled.host, compiled.path)
    : checkedAndLinted(compiled);
  ofCompilation.set(compiled, findings);
  return findings;
}

function checkedAndLinted(compiled: Compilation): FileFindings {
  const { diagnostics, sources } = lintReport(compiled, compiled.host);
  const models = [...checkTraining(compiled, compiled.host), ...checkReferences(compiled, compiled.host)];
  return { diagnostics: [...compiled.diagnostics, ...diagnostics, ...models], sources };
}

/** By absolute path, each mistake once. */
export function findingsByFile({ open, projects, plans }: Session): ReadonlyMap<string, readonly Finding[]> {
  const byFile = new Map<string, Finding[]>();
  const seen = new Set<string>();
  for (const path of projects.opened()) {
    if (projects.isLibrary(path)) continue;
    const compiled = projects.compiled(path);
    const planned = plans.of(path)?.diagnostics ?? [];
    const { diagnostics, sources } = findingsOf(compiled);
    for (const diagnostic of [...diagnostics, ...planned]) {
      const file = fileOf(diagnostic, compiled, sources);
      const { code, at, message } = diagnostic;
      const place = at !== undefined && 'start' in at ? `${at.start}-${at.end}` : JSON.stringify(at);
      const key = JSON.stringify([file, code, place, message]);
      if (seen.has(key)) continue;
      seen.add(key);
      const list = byFile.get(file) ?? [];
      list.push({ diagnostic, compiled, sources });
      byFile.set(file, list);
    }
  }
  for (const { path } of open.all()) if (!byFile.has(path)) byFile.set(path, []);
  return byFile;
}

/** Where a mistake is shown: what has no place, or one on the command line, in the pipeline's first line. */
function fileOf({ at }: Diagnostic, compiled: Compilation, sources: SourceMap): string {
  if (at === undefined || at.file === COMMAND_LINE) return compiled.path;
  if ('start' in at && !sources.has(at.file)) return compiled.path;
  return pathOf(compiled, at.file);
}
