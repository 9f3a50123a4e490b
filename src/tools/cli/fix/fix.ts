/** `ftpc check --fix` and `--diff`. */

import { createTwoFilesPatch } from 'diff';
import { harmless } from '../../../language/diagnostics/render/index.js';
import { isError } from '../../../language/diagnostics/types.js';
import type { FixResult } from '../../../language/lint/fix.js';
import type { CliContext } from '../cli-context.js';
import { EXIT } from '../command.js';
import { diagnosticsPrinter } from '../diagnostics-printer.js';
import { verdict } from '../verdict.js';
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
async function report({ fixed, files, before }: FixResult, diff: boolean, context: CliContext) {
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

/** As `patch -p1` takes it. */
export const unifiedDiff = (changed: {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}): string =>
  createTwoFilesPatch(
    `a/${changed.file}`,
    `b/${changed.file}`,
    changed.before,
    changed.after,
    undefined,
    undefined,
    { context: 3 },
  ).replace(/^=+\n/, '');

/** On a terminal coloured, and nothing in it drives the terminal; elsewhere as it is. */
export function printedDiff(patch: string, { colours, terminal }: CliContext): string {
  const text = patch.replace(/\n$/, '');
  if (!terminal.out) return text;
  const { green, red, cyan, bold } = colours.out;
  return harmless(text)
    .split('\n')
    .map((line) => {
      if (/^(---|\+\+\+) /.test(line)) return bold(line);
      if (line.startsWith('@@')) return cyan(line);
      return line.startsWith('+') ? green(line) : line.startsWith('-') ? red(line) : line;
    })
    .join('\n');
}
