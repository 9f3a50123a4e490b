/** A comparison on standard output. */
import { UserError } from '../../../language/diagnostics/types.js';
import type { Comparison } from '../../review/types.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, UsageError } from '../command.js';
import { printFailure } from '../diagnostics-printer.js';

export const COMPARISON_FORMATS = ['text', 'markdown', 'json'] as const;
export type ComparisonFormat = (typeof COMPARISON_FORMATS)[number];

/** `--json` is `--format json`. Throws a `UsageError` if both are given and differ. */
export function comparisonFormat(args: Arguments): ComparisonFormat {
  const asked = COMPARISON_FORMATS.find((format) => format === args.text('format'));
  if (!args.flag('json')) return asked ?? 'text';
  if (asked !== undefined && asked !== 'json')
    throw new UsageError(`\`--json\` and \`--format ${asked}\` exclude each other`);
  return 'json';
}

type ComparisonPrinter = (
  comparison: Comparison,
  diagnostics: readonly Readonly<Record<string, unknown>>[],
) => string;

/** Only the renderer that is asked for is loaded. */
export async function comparisonPrinter(
  context: CliContext,
  format: ComparisonFormat,
): Promise<ComparisonPrinter> {
  if (format === 'json') {
    const { headline } = await import('../../review/render/headline.js');
    return (comparison, found) =>
      JSON.stringify({ ...comparison, headline: headline(comparison), found }, null, 2);
  }
  if (format === 'markdown') {
    const { renderMarkdown } = await import('../../review/render/markdown.js');
    return renderMarkdown;
  }
  const { renderComparisonText } = await import('../../review/render/text.js');
  return (comparison) => renderComparisonText(comparison, context.colours.out, context.width);
}

/** Prints why nothing can be compared, and gives the exit code. Throws what is not a `UserError`. */
export async function refused(
  context: CliContext,
  format: ComparisonFormat,
  error: unknown,
): Promise<number> {
  if (!(error instanceof UserError)) throw error;
  return printFailure(context, format === 'json', [error.diagnostic]);
}
