/** What `ftpc check` found in several files, as one answer. */

import { counted } from '../../language/diagnostics/make.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import type { SuppressedFinding } from '../../language/lint/index.js';
import type { SourceMap } from '../../language/source/text.js';
import type { ModelEngines } from '../../pipeline/prepare/check-engines.js';
import type { CliContext } from './cli-context.js';
import { diagnosticsPrinter } from './diagnostics-printer.js';
import { type Verdict, verdict } from './verdict.js';

export interface FileCheck {
  /** As it was named. */
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressed: readonly SuppressedFinding[];
  readonly sources: SourceMap;
  /** Of a pipeline: the models that it names. */
  readonly models?: readonly ModelEngines[];
}

interface MergedChecks extends Omit<FileCheck, 'file' | 'models'> {
  /** Each with what no file before it has. */
  readonly files: readonly Pick<FileCheck, 'file' | 'diagnostics'>[];
  /** Of names that lead to no file. */
  readonly missing: readonly Diagnostic[];
}

/** What is wrong in a module is said once, however many files import it. */
export function merged(checks: readonly FileCheck[], missing: readonly Diagnostic[] = []): MergedChecks {
  const isNew = newIn<Diagnostic>(({ code, message, at }) => [code, message, at]);
  const isFirst = newIn<SuppressedFinding>(({ diagnostic: { code, message, at } }) => [code, message, at]);
  const files = checks.map(({ file, diagnostics }) => ({ file, diagnostics: isNew(diagnostics) }));
  return {
    files,
    missing,
    diagnostics: [...missing, ...files.flatMap(({ diagnostics }) => diagnostics)],
    suppressed: checks.flatMap(({ suppressed }) => isFirst(suppressed)),
    sources: new Map(checks.flatMap(({ sources }) => [...sources])),
  };
}

/** Of each list, what was in none before it. */
function newIn<T>(keyOf: (item: T) => unknown): (items: readonly T[]) => readonly T[] {
  const seen = new Set<string>();
  return (items) => {
    const keys = items.map((item) => JSON.stringify(keyOf(item)));
    const found = items.filter((_, index) => !seen.has(keys[index] ?? ''));
    for (const key of keys) seen.add(key);
    return found;
  };
}

/** For people: what was found in each file, and of several files one line about all. `after`: what else is said of a file. */
export async function printChecks(
  context: CliContext,
  { files, missing, sources }: Pick<MergedChecks, 'files' | 'missing' | 'sources'>,
  after: (file: number) => Promise<void> = async () => undefined,
): Promise<void> {
  const printer = await diagnosticsPrinter(context, sources);
  const show = (diagnostics: readonly Diagnostic[]): void => {
    for (const text of printer.pretty(diagnostics)) context.err(`${text}\n`);
  };
  show(missing);
  const isAlone = files.length === 1 && missing.length === 0;
  const verdicts: Verdict[] = [];
  for (const [index, { file, diagnostics }] of files.entries()) {
    const found = await verdict(diagnostics, file, context);
    verdicts.push(found);
    show(found.shown);
    await after(index);
    if (isAlone || found.shown.length > 0) context.err(`${found.line}${isAlone ? '' : '\n'}`);
  }
  if (!isAlone) context.err(await summary(context, verdicts, missing));
}

/** `2 errors, 1 warning in 2 of 12 files`, `ok: 12 files` */
async function summary(
  { colours }: CliContext,
  verdicts: readonly Pick<Verdict, 'shown'>[],
  missing: readonly Diagnostic[],
): Promise<string> {
  const { countText } = await import('../../language/diagnostics/render/index.js');
  const { green, red, yellow } = colours.err;
  const all = [...missing, ...verdicts.flatMap(({ shown }) => shown)];
  const count = countText(all);
  if (count === '') return `${green('ok')}: ${counted(verdicts.length, 'file')}`;
  const found = verdicts.filter(({ shown }) => countText(shown) !== '').length;
  const where = found === 0 ? '' : ` in ${found} of ${counted(verdicts.length, 'file')}`;
  return `${(all.some(isError) ? red : yellow)(count)}${where}`;
}
