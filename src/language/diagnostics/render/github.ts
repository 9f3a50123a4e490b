/** Annotations of a GitHub workflow: docs.github.com, “Workflow commands for GitHub Actions”. */
import type { SourceMap } from '../../source/text.js';
import type { Diagnostic, Severity } from '../types.js';
import { locate } from './locate.js';

const COMMANDS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'notice' };

/**
 * One line, `::error file=…,line=…,col=…::message`. Columns count UTF-16 units from 1; GitHub accepts them only if the
 * span is on one line.
 */
export function githubAnnotation(diagnostic: Diagnostic, sources: SourceMap): string {
  const { file, line, column, endLine, endColumn } = locate(diagnostic, sources);
  const place: Readonly<Record<string, string | number>> = {
    ...(file === '' ? {} : { file }),
    ...(line === 0 ? {} : { line, endLine }),
    ...(column === 0 || line !== endLine ? {} : { col: column, endColumn }),
    title: diagnostic.rule === undefined ? diagnostic.code : `${diagnostic.code} ${diagnostic.rule}`,
  };
  const properties = Object.entries(place).map(([key, value]) => `${key}=${escapeProperty(`${value}`)}`);
  const text = [diagnostic.message, ...(diagnostic.notes ?? []), diagnostic.help].filter(
    (part) => part !== undefined,
  );
  return `::${COMMANDS[diagnostic.severity]} ${properties.join(',')}::${escapeData(text.join('\n'))}`;
}

const escapeData = (text: string): string =>
  text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');

const escapeProperty = (text: string): string => escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
