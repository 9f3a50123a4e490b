import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { SourceMap } from '../../language/source/text.js';
import type { CliContext } from './cli-context.js';

export interface DiagnosticsPrinter {
  /** `{ version, valid, diagnostics }` */
  json(diagnostics: readonly Diagnostic[]): string;
  /** The fields of one diagnostic, as `json` and the events of a run have them. */
  fields(diagnostic: Diagnostic): Readonly<Record<string, unknown>>;
  /** Annotations of a GitHub workflow, one line each. */
  github(diagnostics: readonly Diagnostic[]): readonly string[];
  /** For people, one text each. */
  pretty(diagnostics: readonly Diagnostic[]): readonly string[];
}

/** The renderers, loaded where there is something to print. `sources` are the files that diagnostics may point into. */
export async function diagnosticsPrinter(
  context: CliContext,
  sources: SourceMap,
): Promise<DiagnosticsPrinter> {
  const { checkJson, diagnosticJson, githubAnnotation, prettyDiagnostic } = await import(
    '../../language/diagnostics/render/index.js'
  );
  return {
    json: (diagnostics) => JSON.stringify(checkJson(diagnostics, sources), null, 2),
    fields: (diagnostic) => ({ ...diagnosticJson(diagnostic, sources) }),
    github: (diagnostics) => diagnostics.map((found) => githubAnnotation(found, sources)),
    pretty: (diagnostics) => {
      const width = context.terminal.err ? context.width : undefined;
      return diagnostics.map((found) => prettyDiagnostic(found, sources, context.colours.err, width));
    },
  };
}
