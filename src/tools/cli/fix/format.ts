import { requireSourceSize } from '../../../language/check/modules.js';
import { hostError } from '../../../language/diagnostics/catalogue/files.js';
import { counted } from '../../../language/diagnostics/make.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import { formatText } from '../../../language/formatter/index.js';
import { type Host, HostError } from '../../../language/host/host.js';
import { type SourceMap, type SourceText, sourceText } from '../../../language/source/text.js';
import type { CliContext } from '../cli-context.js';
import { diagnosticsPrinter } from '../diagnostics-printer.js';
import type { NamedFile } from '../named-files.js';
import { notRewritten, rewriteAll } from './rewrite.js';

/** What became of one file. */
export interface FormatOutcome {
  readonly file: string;
  readonly status: 'changed' | 'unchanged' | 'failed';
  readonly before?: SourceText;
  readonly after?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Formats bytes that came from `file`. */
export function formatBytes(bytes: Uint8Array, file: string): FormatOutcome {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { file, status: 'failed', diagnostics: [notRewritten(file)] };
  }
  const before = sourceText(file, text);
  const { text: after, diagnostics = [] } = formatText(text, file);
  const status = after === undefined ? 'failed' : after === text ? 'unchanged' : 'changed';
  return { file, status, before, after, diagnostics };
}

/** Formats a file and, with `write`, puts the result in its place. */
export function formatFile(host: Host, { name, path }: NamedFile, write: boolean): FormatOutcome {
  try {
    requireSourceSize(host, path);
    const outcome = formatBytes(host.readBytes(path), name);
    const { before, after } = outcome;
    if (!write || outcome.status !== 'changed' || before === undefined || after === undefined) return outcome;
    const obstacle = rewriteAll([{ file: name, path, before: before.text, after }]);
    return obstacle === undefined ? outcome : { ...outcome, status: 'failed', diagnostics: [obstacle] };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { file: name, status: 'failed', diagnostics: [hostError({ ...error, path: name })] };
  }
}

export interface ReportOptions {
  readonly check: boolean;
  readonly diff: boolean;
  readonly json: boolean;
}

/** Names of files that changed, or their diffs, on standard output; a sentence and what is wrong for people. */
export async function report(
  context: CliContext,
  outcomes: readonly FormatOutcome[],
  problems: readonly Diagnostic[],
  flags: ReportOptions,
): Promise<void> {
  const sources: SourceMap = new Map(
    outcomes.flatMap(({ file, before }) => (before ? [[file, before]] : [])),
  );
  const printer = await diagnosticsPrinter(context, sources);
  const diagnostics = [...problems, ...outcomes.flatMap((outcome) => outcome.diagnostics)];
  const changed = outcomes.filter(({ status }) => status === 'changed');
  if (flags.json) {
    const files = outcomes.map(({ file, status }) => ({ file, status }));
    context.out(JSON.stringify({ version: 1, files, diagnostics: diagnostics.map(printer.fields) }, null, 2));
    return;
  }
  if (flags.diff)
    for (const { file, before, after = '' } of changed)
      await printDiff(context, file, before?.text ?? '', after);
  else for (const { file } of changed) context.out(file);
  for (const text of printer.pretty(diagnostics)) context.err(text);
  if (outcomes.length > 0) context.err(sentence(outcomes, flags, context));
}

async function printDiff(context: CliContext, file: string, before: string, after: string): Promise<void> {
  const { printedDiff, unifiedDiff } = await import('./fix.js');
  context.out(printedDiff(unifiedDiff({ file, before, after }), context));
}

function sentence(
  outcomes: readonly FormatOutcome[],
  { check, diff }: ReportOptions,
  { colours }: CliContext,
): string {
  const { green, red, yellow } = colours.err;
  const count = (wanted: FormatOutcome['status']): number =>
    outcomes.filter(({ status }) => status === wanted).length;
  const [changed, failed] = [count('changed'), count('failed')];
  const files = counted(outcomes.length, 'file');
  const did =
    check || diff ? yellow(`${changed} of ${files} would change`) : green(`formatted ${changed} of ${files}`);
  if (failed > 0) return `${did}, ${red(`${failed} could not be formatted`)}`;
  return changed === 0 ? `${green('ok')}: nothing to change in ${files}` : did;
}
