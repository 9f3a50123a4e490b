/** `ftpc check --fix` and `--diff`. */

import { isError } from '../../../language/diagnostics/types.js';
import type { FixResult } from '../../../language/lint/fix.js';
import type { CliContext } from '../cli-context.js';
import { diagnosticsPrinter } from '../diagnostics-printer.js';
import { EXIT } from '../exit-codes.js';
import { verdict } from '../verdict.js';
import { printedDiff, unifiedDiff } from './diff.js';
import { rewriteAll } from './rewrite.js';

export interface FixRequest {
  readonly file: string;
  readonly params: Readonly<Record<string, string>>;
  readonly guesses: boolean;
  /** Only show what would change. */
  readonly diff: boolean;
  readonly json: boolean;
}

export async function fixFiles(context: CliContext, request: FixRequest): Promise<number> {
  const { applyFixes } = await import('../../../language/lint/fix.js');
  const { file, params, guesses, diff, json } = request;
  const result = applyFixes(context.host, file, { params, guesses });
  const obstacle = diff ? undefined : rewriteAll(result.files);
  // What could not be written has not been fixed; a patch leaves what it does not change.
  const { diagnostics, sources } = obstacle === undefined ? result.after : result.before;
  const left = obstacle === undefined ? diagnostics : [...diagnostics, obstacle];
  const printer = await diagnosticsPrinter(context, sources);
  if (json)
    context.out(
      JSON.stringify(
        {
          ...JSON.parse(printer.json(left)),
          ...(obstacle === undefined ? jsonOf(result, diff) : { mended: [], changed: [] }),
        },
        null,
        2,
      ),
    );
  else {
    const { shown, line } = await verdict(left, file, context);
    if (diff) for (const changed of result.files) context.out(printedDiff(unifiedDiff(changed), context));
    for (const text of printer.pretty(shown)) context.err(`${text}\n`);
    if (obstacle === undefined) await report(result, diff, context);
    context.err(line);
  }
  const standing = diff ? result.before.diagnostics : left;
  return standing.some(isError) ? EXIT.error : EXIT.done;
}

/** Besides the fields of `check --json`. */
const jsonOf = ({ fixed, files }: FixResult, diff: boolean) => ({
  mended: fixed.map(({ diagnostic: { code, message }, fix: { title } }) => ({ code, message, title })),
  changed: files.map(({ file }) => file),
  ...(diff ? { diff: files.map(unifiedDiff).join('') } : {}),
});

/** `fixed FTP0112: write `=`` for each, and the files. */
async function report(
  { fixed, files, before }: FixResult,
  diff: boolean,
  context: CliContext,
): Promise<void> {
  const { harmless, locate } = await import('../../../language/diagnostics/render/index.js');
  const { green } = context.colours.err;
  for (const { diagnostic, fix } of fixed) {
    // Places move with every fix; those of the text as it was are of use.
    const { line, file } = locate(diagnostic, before.sources);
    const verb = diff ? 'would fix' : 'fixed';
    context.err(`${green(verb)} ${diagnostic.code} near ${harmless(`${file}:${line}: ${fix.title}`)}`);
  }
  const names = files.map(({ file }) => file).join(', ');
  if (!diff && files.length > 0) context.err(`${green('wrote')} ${names}`);
  if (fixed.length === 0) context.err('nothing to fix automatically');
}
