import { locate } from '../../src/language/diagnostics/render/index.js';
import type { Diagnostic } from '../../src/language/diagnostics/types.js';
import { lineText, type SourceMap } from '../../src/language/source/text.js';

/** A source file with its diagnostics under the lines that they speak of; others at the end. */
export function annotate(file: string, diagnostics: readonly Diagnostic[], sources: SourceMap): string {
  const source = sources.get(file);
  const found = diagnostics.map((diagnostic) => ({ diagnostic, at: locate(diagnostic, sources) }));
  const lines: string[] = [];
  const count = source?.lineStarts.length ?? 0;
  for (let line = 1; line <= count; line++) {
    if (source !== undefined) lines.push(lineText(source, line));
    for (const { diagnostic, at } of found.filter(({ at }) => at.file === file && at.line === line)) {
      const width = at.endLine === at.line ? Math.max(1, at.endColumn - at.column) : 1;
      lines.push(`//@ ${' '.repeat(Math.max(0, at.column - 5))}${'^'.repeat(width)}`, ...say(diagnostic));
    }
  }
  for (const { diagnostic, at } of found.filter(({ at }) => at.file !== file || at.line === 0))
    lines.push(`//@ ${at.file}:${at.line}:${at.column}`, ...say(diagnostic));
  return `${lines.join('\n').trimEnd()}\n`;
}

function say({ code, severity, message, label, related, notes, help, fixes }: Diagnostic): string[] {
  return [
    `${severity}[${code}] ${message}`,
    ...(label === undefined ? [] : [`  label: ${label}`]),
    ...(related ?? []).map(({ message }) => `  related: ${message}`),
    ...(notes ?? []).map((note) => `  note: ${note}`),
    ...(help === undefined ? [] : [`  help: ${help}`]),
    ...(fixes ?? []).map(({ title, applicability }) => `  fix: ${title} (${applicability})`),
  ].map((line) => `//@ ${line.replace(/\n/g, '\n//@ ')}`);
}
