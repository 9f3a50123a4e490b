/** Diagnostics, pushed with the version of the text that they refer to. */
import type { DiagnosticRelatedInformation, Diagnostic as LspDiagnostic, Range } from 'vscode-languageserver';
import { DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver/node.js';
import type { Diagnostic, Severity } from '../../../language/diagnostics/types.js';
import { pageUri } from '../error-pages.js';
import { type Finding, findingsByFile } from '../findings.js';
import { toRange } from '../positions.js';
import { pathOf } from '../projects.js';
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

const related = (
  { diagnostic, compiled, sources }: Finding,
  { open }: Session,
): DiagnosticRelatedInformation[] =>
  (diagnostic.related ?? []).flatMap(({ at, message }) => {
    const source = sources.get(at.file);
    if (source === undefined) return [];
    return [
      { message, location: { uri: open.uriOf(pathOf(compiled, at.file)), range: toRange(source, at) } },
    ];
  });
