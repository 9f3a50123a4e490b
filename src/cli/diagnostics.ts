import type { Diagnostic } from '../diagnostics/types.js';
import { positionAt, type SourceMap } from '../source/text.js';
import type { World } from './world.js';

export interface DiagnosticsPrinter {
  /** `{ version, valid, diagnostics }` */
  json(diagnostics: readonly Diagnostic[]): string;
  /** The fields of one diagnostic, as `json` and the events of a run have them. */
  fields(diagnostic: Diagnostic): Readonly<Record<string, unknown>>;
  /** Annotations of a GitHub workflow, a line each. */
  github(diagnostics: readonly Diagnostic[]): readonly string[];
  /** For people, a text each. */
  pretty(diagnostics: readonly Diagnostic[]): readonly string[];
}

export async function diagnosticsPrinter(world: World, sources: SourceMap): Promise<DiagnosticsPrinter> {
  const place = (diagnostic: Diagnostic) => {
    const { at } = diagnostic;
    if (at === undefined) return { file: '', line: 0, column: 0, endLine: 0, endColumn: 0 };
    if ('line' in at) return { ...at, endLine: at.line, endColumn: at.column };
    const source = sources.get(at.file);
    if (source === undefined) return { file: at.file, line: 0, column: 0, endLine: 0, endColumn: 0 };
    const start = positionAt(source, at.start);
    const end = positionAt(source, at.end);
    return { file: at.file, ...start, endLine: end.line, endColumn: end.column };
  };
  const fields = (diagnostic: Diagnostic) => {
    const { code, severity, message, help, notes, fixes } = diagnostic;
    return { code, severity, message, ...place(diagnostic), help, notes, fixes: fixes ?? [] };
  };
  return {
    fields,
    json: (diagnostics) =>
      JSON.stringify(
        {
          version: 1,
          valid: diagnostics.every(({ severity }) => severity !== 'error'),
          diagnostics: diagnostics.map(fields),
        },
        null,
        2,
      ),
    github: (diagnostics) =>
      diagnostics.map((diagnostic) => {
        const { file, line, column } = place(diagnostic);
        const level = diagnostic.severity === 'info' ? 'notice' : diagnostic.severity;
        return `::${level} file=${file},line=${line},col=${column},title=${diagnostic.code}::${diagnostic.message}`;
      }),
    pretty: (diagnostics) =>
      diagnostics.map((diagnostic) => {
        const { bold, red, yellow, cyan, dim } = world.colours.err;
        const paint = { error: red, warning: yellow, info: cyan }[diagnostic.severity];
        const { file, line, column } = place(diagnostic);
        const head = `${bold(paint(`${diagnostic.severity}[${diagnostic.code}]`))}: ${diagnostic.message}`;
        return [
          head,
          ...(file === '' ? [] : [dim(`  ${[file, line, column].filter((part) => part !== 0).join(':')}`)]),
          ...(diagnostic.notes ?? []).map((note) => `  ${note}`),
          ...(diagnostic.help === undefined ? [] : [`  help: ${diagnostic.help}`]),
        ].join('\n');
      }),
  };
}
