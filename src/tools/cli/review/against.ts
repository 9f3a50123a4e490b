/** `ftpc plan FILE --against REF` */

import { resolve } from 'node:path';
import { fileNotFound } from '../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { type CommitComparison, type CommitRequest, planAgainst } from '../../review/against-commit.js';
import type { CliContext } from '../cli-context.js';
import { EXIT } from '../command.js';
import { diagnosticsPrinter } from '../diagnostics-printer.js';
import { type ComparisonFormat, comparisonPrinter, refused } from './comparison-format.js';
import { openRepository } from './git.js';

interface ComparisonRequest extends Omit<CommitRequest, 'host' | 'repository'> {
  readonly format: ComparisonFormat;
  /** Whether a change is an exit code. */
  readonly exitCode: boolean;
}

/** The exit code. */
export async function comparePlans(context: CliContext, wanted: ComparisonRequest): Promise<number> {
  const { host } = context;
  const { file, ref } = wanted;
  let found: CommitComparison;
  try {
    const path = resolve(host.cwd, file);
    if (host.stat(path) === undefined) throw new UserError(fileNotFound(file));
    // git is asked first: it answers at once
    const repository = openRepository(path, ref, file);
    found = await planAgainst({ ...wanted, host, repository });
  } catch (error) {
    return refused(context, wanted.format, error);
  }
  const { now, comparison } = found;
  const printer = await diagnosticsPrinter(context, now.compiled.sources);
  const diagnostics = [...now.diagnostics, ...found.diagnostics];
  if (wanted.format !== 'json') for (const text of printer.pretty(diagnostics)) context.err(text);
  if (comparison === undefined) {
    if (wanted.format === 'json') context.out(printer.json(diagnostics));
    if (wanted.format === 'markdown') {
      const { diagnosticJson } = await import('../../../language/diagnostics/render/index.js');
      const { renderFailure } = await import('../../review/render/markdown.js');
      const fields = diagnostics.map((one) => diagnosticJson(one, now.compiled.sources));
      context.out(renderFailure(found.pipeline, fields));
    }
    return EXIT.error;
  }
  const print = await comparisonPrinter(context, wanted.format);
  context.out(print(comparison, diagnostics.map(printer.fields)));
  if (!comparison.valid) return EXIT.error;
  const isBroken = now.outline?.budget.some(({ holds }) => holds === false) === true;
  if (isBroken) return EXIT.budgetExceeded;
  return wanted.exitCode && comparison.changed ? EXIT.changes : EXIT.done;
}
