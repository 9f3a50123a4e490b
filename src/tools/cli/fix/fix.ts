/** `ftpc check --fix` and `--diff`. */

import { createTwoFilesPatch } from 'diff';
import { harmless } from '../../../language/diagnostics/render/index.js';
import { type Diagnostic, isError } from '../../../language/diagnostics/types.js';
import type { FixResult } from '../../../language/lint/fix.js';
import { type FileCheck, merged, printChecks } from '../checks.js';
import type { CliContext } from '../cli-context.js';
import { EXIT } from '../command.js';
import { diagnosticsPrinter } from '../diagnostics-printer.js';
import { rewriteAll } from './rewrite.js';

interface FixRequest {
  readonly files: readonly string[];
  /** Of names that lead to no file. */
  readonly missing: readonly Diagnostic[];
  readonly params: Readonly<Record<string, string>>;
  readonly guesses: boolean;
  /** Only show what would change. */
  readonly diff: boolean;
  readonly json: boolean;
}

interface FixedFile {
  readonly file: string;
  readonly result: FixResult;
  /** Why nothing of it could be written. */
  readonly obstacle?: Diagnostic;
}

/** One after the other, so that each finds modules as the one before it has left them. */
export async function fixFiles(context: CliContext, request: FixRequest): Promise<number> {
  const { applyFixes } = await import('../../../language/lint/fix.js');
  const { files, missing, params, guesses, diff, json } = request;
  const fixed = files.map((file): FixedFile => {
    const result = applyFixes(context.host, file, { params, guesses });
    return { file, result, obstacle: diff ? undefined : rewriteAll(result.files) };
  });
  const left = merged(fixed.map(leftOf), missing);
  if (json) {
    const printer = await diagnosticsPrinter(context, left.sources);
    const answer = { ...JSON.parse(printer.json(left.diagnostics)), ...jsonOf(fixed, diff) };
    context.out(JSON.stringify(answer, null, 2));
  } else {
    if (diff) for (const patch of patchesOf(fixed)) context.out(printedDiff(patch, context));
    const isIdle = fixed.every(({ result, obstacle }) => obstacle === undefined && result.fixed.length === 0);
    await printChecks(context, left, async (index) => {
      await report(fixed[index], diff, context);
      if (isIdle && index === fixed.length - 1) context.err('nothing to fix automatically');
    });
  }
  const standing = diff ? fixed.flatMap(({ result }) => result.before.diagnostics) : left.diagnostics;
  return [...missing, ...standing].some(isError) ? EXIT.error : EXIT.done;
}

/** What could not be written has not been fixed; a patch leaves what it does not change. */
function leftOf({ file, result, obstacle }: FixedFile): FileCheck {
  const { diagnostics, sources } = obstacle === undefined ? result.after : result.before;
  return {
    file,
    sources,
    diagnostics: obstacle === undefined ? diagnostics : [...diagnostics, obstacle],
    suppressed: [],
  };
}

/** Besides the fields of `check --json`. */
function jsonOf(files: readonly FixedFile[], diff: boolean) {
  const written = files.filter(({ obstacle }) => obstacle === undefined);
  const fixed = written.flatMap(({ result }) => result.fixed);
  return {
    mended: fixed.map(({ diagnostic: { code, message }, fix: { title } }) => ({ code, message, title })),
    changed: [...new Set(written.flatMap(({ result }) => result.files.map(({ file }) => file)))],
    ...(diff ? { diff: patchesOf(written).join('') } : {}),
  };
}

/** What several files would change in a module is one patch. */
const patchesOf = (files: readonly FixedFile[]): readonly string[] => [
  ...new Set(files.flatMap(({ result }) => result.files.map(unifiedDiff))),
];

/** `fixed FTP0112: write `=`` for each, and the files. */
async function report(done: FixedFile | undefined, diff: boolean, context: CliContext): Promise<void> {
  if (done === undefined || done.obstacle !== undefined) return;
  const { fixed, files, before } = done.result;
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
