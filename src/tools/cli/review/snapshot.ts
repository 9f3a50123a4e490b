/** `ftpc snapshot FILE` */

import { resolve } from 'node:path';
import type { ParamValues } from '../../../language/check/overrides.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { replaceFile } from '../../../pipeline/store/index.js';
import type { MachineChoice } from '../../review/plan-quietly.js';
import { againstSnapshot, checkAsked, type SnapshotRequest } from '../../review/snapshot/against-snapshot.js';
import { readSnapshot, snapshotPath, snapshotText } from '../../review/snapshot/read.js';
import type { Snapshot } from '../../review/snapshot/types.js';
import { diagnosticsPrinter } from '../diagnostics.js';
import { EXIT } from '../exit-codes.js';
import type { World } from '../world.js';
import { type ComparisonFormat, comparisonPrinter, refused } from './print.js';

export interface SnapshotWanted {
  readonly file: string;
  readonly mode: 'update' | 'validate';
  readonly params: ParamValues;
  readonly machine: MachineChoice;
  readonly format: ComparisonFormat;
}

/** The exit code. */
export async function keepSnapshot(world: World, wanted: SnapshotWanted): Promise<number> {
  try {
    return await kept(world, wanted);
  } catch (error) {
    return refused(world, wanted.format, error);
  }
}

async function kept(world: World, { file, mode, params, machine, format }: SnapshotWanted): Promise<number> {
  const { host } = world;
  const snapshotFile = snapshotPath(file);
  const path = resolve(host.cwd, snapshotFile);
  const before = await earlier(world, path, snapshotFile, mode);
  const request: SnapshotRequest = { host, file, snapshotFile, kept: before, params, machine };
  if (mode === 'validate') checkAsked(request);
  const { now, made, comparison } = await againstSnapshot(request);
  const printer = await diagnosticsPrinter(world, now.compiled.sources);
  if (format !== 'json') for (const text of printer.pretty(now.diagnostics)) world.err(text);
  if (comparison === undefined || made === undefined || !comparison.valid) {
    if (format === 'json') world.out(printer.json(now.diagnostics));
    return EXIT.error;
  }
  // of the first snapshot all is new: its file says it better
  if (before !== undefined || format !== 'text') {
    const print = await comparisonPrinter(world, format);
    world.out(print(comparison, now.diagnostics.map(printer.fields)));
  }
  if (mode === 'validate') return comparison.changed ? EXIT.changes : EXIT.done;
  const text = snapshotText(made);
  const isSame = before !== undefined && host.readText(path) === text;
  if (!isSame) replaceFile(path, text);
  world.err(isSame ? `${snapshotFile} is up to date` : `wrote ${snapshotFile}`);
  return EXIT.done;
}

/** What an update replaces need not be readable. */
async function earlier(
  world: World,
  path: string,
  shown: string,
  mode: SnapshotWanted['mode'],
): Promise<Snapshot | undefined> {
  try {
    return await readSnapshot(world.host, path, shown);
  } catch (error) {
    if (mode === 'update' && error instanceof UserError) return undefined;
    throw error;
  }
}
