/** `ftpc snapshot FILE` */

import { resolve } from 'node:path';
import { UserError } from '../../../language/diagnostics/types.js';
import { replaceFile } from '../../../pipeline/store/index.js';
import { againstSnapshot, checkAsked, type SnapshotRequest } from '../../review/snapshot/against-snapshot.js';
import { readSnapshot, snapshotPath, snapshotText } from '../../review/snapshot/snapshot.js';
import type { CliContext } from '../cli-context.js';
import { EXIT } from '../command.js';
import { diagnosticsPrinter } from '../diagnostics-printer.js';
import { type ComparisonFormat, comparisonPrinter, refused } from './comparison-format.js';

interface SnapshotOptions extends Pick<SnapshotRequest, 'file' | 'params' | 'machine'> {
  readonly mode: 'update' | 'validate';
  readonly format: ComparisonFormat;
}

/** The exit code. */
export async function keepSnapshot(context: CliContext, wanted: SnapshotOptions): Promise<number> {
  try {
    return await kept(context, wanted);
  } catch (error) {
    return refused(context, wanted.format, error);
  }
}

async function kept(context: CliContext, { file, mode, params, machine, format }: SnapshotOptions) {
  const { host } = context;
  const snapshotFile = snapshotPath(file);
  const path = resolve(host.cwd, snapshotFile);
  const before = earlier(context, path, snapshotFile, mode);
  const request: SnapshotRequest = { host, file, snapshotFile, kept: before, params, machine };
  if (mode === 'validate') checkAsked(request);
  const { now, made, comparison } = await againstSnapshot(request);
  const printer = await diagnosticsPrinter(context, now.compiled.sources);
  if (format !== 'json') for (const text of printer.pretty(now.diagnostics)) context.err(text);
  if (comparison === undefined || made === undefined || !comparison.valid) {
    if (format === 'json') context.out(printer.json(now.diagnostics));
    return EXIT.error;
  }
  // of the first snapshot all is new: its file says it better
  if (before !== undefined || format !== 'text') {
    const print = await comparisonPrinter(context, format);
    context.out(print(comparison, now.diagnostics.map(printer.fields)));
  }
  if (mode === 'validate') return comparison.changed ? EXIT.changes : EXIT.done;
  const text = snapshotText(made);
  const isSame = before !== undefined && host.readText(path) === text;
  if (!isSame) replaceFile(path, text);
  context.err(isSame ? `${snapshotFile} is up to date` : `wrote ${snapshotFile}`);
  return EXIT.done;
}

/** What an update replaces need not be readable. */
function earlier(context: CliContext, path: string, shown: string, mode: SnapshotOptions['mode']) {
  try {
    return readSnapshot(context.host, path, shown);
  } catch (error) {
    if (mode === 'update' && error instanceof UserError) return undefined;
    throw error;
  }
}
