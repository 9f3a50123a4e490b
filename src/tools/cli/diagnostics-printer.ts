import { counted } from '../../language/diagnostics/make.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import { EMBEDDED } from '../../language/ir/engines.js';
import { shellWord } from '../../language/source/shell-word.js';
import type { SourceMap } from '../../language/source/text.js';
import type { ModelEngines } from '../../pipeline/prepare/check-engines.js';
import { type CliContext, messageWidth } from './cli-context.js';
import { EXIT } from './command.js';

export interface DiagnosticsPrinter {
  /** `{ version, valid, diagnostics }`, and `models` with their places where the default engine does not compute with all. */
  json(diagnostics: readonly Diagnostic[], models?: readonly ModelEngines[]): string;
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
  const { checkJson, diagnosticJson, githubAnnotation, locateSpan, prettyDiagnostic } = await import(
    '../../language/diagnostics/render/index.js'
  );
  return {
    json: (diagnostics, models = []) => {
      const places = models.map(({ at, ...model }) => ({ ...model, ...locateSpan(at, sources) }));
      const found = checkJson(diagnostics, sources);
      const isPlain = models.every(
        ({ engine, engines }) => engine === EMBEDDED.name && engines.includes(EMBEDDED.name),
      );
      return JSON.stringify(isPlain ? found : { ...found, models: places }, null, 2);
    },
    fields: (diagnostic) => ({ ...diagnosticJson(diagnostic, sources) }),
    github: (diagnostics) => diagnostics.map((found) => githubAnnotation(found, sources)),
    pretty: (diagnostics) => {
      const width = messageWidth(context);
      return diagnostics.map((found) => prettyDiagnostic(found, sources, context.colours.err, width));
    },
  };
}

/** What the rules advise, in one line: who plans or runs wants the plan or the run. `file` as it was asked for. */
export const findingsLine = (lints: readonly Diagnostic[], file: string): readonly string[] => {
  const found = lints.filter((lint) => !isError(lint)).length;
  return found === 0 ? [] : [`${counted(found, 'finding')}: \`ftpc check ${shellWord(file)}\``];
};

/** Prints diagnostics for people. */
export async function printDiagnostics(
  context: CliContext,
  diagnostics: readonly Diagnostic[],
  sources: SourceMap = new Map(),
): Promise<void> {
  const printer = await diagnosticsPrinter(context, sources);
  for (const text of printer.pretty(diagnostics)) context.err(text);
}

/** Prints why a command has no answer, with `json` where its answer would be; the exit code. */
export async function printFailure(
  context: CliContext,
  json: boolean,
  diagnostics: readonly Diagnostic[],
  sources?: SourceMap,
): Promise<number> {
  if (!json) await printDiagnostics(context, diagnostics, sources);
  else context.out((await diagnosticsPrinter(context, sources ?? new Map())).json(diagnostics));
  return EXIT.error;
}
