import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import type { CliContext } from './cli-context.js';

/** What is shown of a check, and its last line. */
export interface Verdict {
  readonly shown: readonly Diagnostic[];
  /** `2 errors, 1 warning (1 can be fixed with --fix): FILE`, or `ok: FILE`. */
  readonly line: string;
}

/** Advice is for a pipeline that can run: while there are errors, only they and what the compiler warns of are shown. */
export async function verdict(
  diagnostics: readonly Diagnostic[],
  file: string,
  context: CliContext,
): Promise<Verdict> {
  const { countText } = await import('../../language/diagnostics/render/index.js');
  const { green, red, yellow } = context.colours.err;
  const failed = diagnostics.some(isError);
  const shown = diagnostics.filter(
    ({ rule, severity }) => !failed || rule === undefined || severity === 'error',
  );
  const count = countText(shown);
  if (count === '') return { shown, line: `${green('ok')}: ${file}` };
  const fixable = shown.filter(({ fixes }) =>
    fixes?.some(({ applicability }) => applicability === 'safe'),
  ).length;
  const later = diagnostics.length - shown.length;
  const remarks = [
    ...(fixable === 0 ? [] : [`${fixable} can be fixed with --fix`]),
    ...(later === 0
      ? []
      : [`${later} lint ${later === 1 ? 'finding is' : 'findings are'} shown once the errors are fixed`]),
  ];
  const rest = remarks.length === 0 ? '' : ` (${remarks.join('; ')})`;
  return { shown, line: `${failed ? red(count) : yellow(count)}${rest}: ${file}` };
}
