import { counted } from '../../../language/diagnostics/make.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { SourceMap } from '../../../language/source/text.js';
import { diagnosticsPrinter } from '../diagnostics.js';
import type { World } from '../world.js';
import type { Outcome } from './outcome.js';

export interface Flags {
  readonly check: boolean;
  readonly diff: boolean;
  readonly json: boolean;
}

/** Names of files that changed, or their diffs, on standard output; a sentence and what is wrong for people. */
export async function report(
  world: World,
  outcomes: readonly Outcome[],
  problems: readonly Diagnostic[],
  flags: Flags,
): Promise<void> {
  const sources: SourceMap = new Map(
    outcomes.flatMap(({ file, before }) => (before ? [[file, before]] : [])),
  );
  const printer = await diagnosticsPrinter(world, sources);
  const diagnostics = [...problems, ...outcomes.flatMap((outcome) => outcome.diagnostics)];
  const changed = outcomes.filter(({ status }) => status === 'changed');
  if (flags.json) {
    const files = outcomes.map(({ file, status }) => ({ file, status }));
    world.out(JSON.stringify({ version: 1, files, diagnostics: diagnostics.map(printer.fields) }, null, 2));
    return;
  }
  if (flags.diff)
    for (const { file, before, after = '' } of changed)
      await printDiff(world, file, before?.text ?? '', after);
  else for (const { file } of changed) world.out(file);
  for (const text of printer.pretty(diagnostics)) world.err(text);
  if (outcomes.length > 0) world.err(sentence(outcomes, flags, world));
}

async function printDiff(world: World, file: string, before: string, after: string): Promise<void> {
  const { printedDiff, unifiedDiff } = await import('../fix/diff.js');
  world.out(printedDiff(unifiedDiff({ file, before, after }), world));
}

function sentence(outcomes: readonly Outcome[], { check, diff }: Flags, { colours }: World): string {
  const { green, red, yellow } = colours.err;
  const count = (wanted: Outcome['status']): number =>
    outcomes.filter(({ status }) => status === wanted).length;
  const [changed, failed] = [count('changed'), count('failed')];
  const files = counted(outcomes.length, 'file');
  const did =
    check || diff ? yellow(`${changed} of ${files} would change`) : green(`formatted ${changed} of ${files}`);
  if (failed > 0) return `${did}, ${red(`${failed} could not be formatted`)}`;
  return changed === 0 ? `${green('ok')}: nothing to change in ${files}` : did;
}
