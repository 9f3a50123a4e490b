/** Outputs that are outside their entry, such as releases: named so that they move with the project, and looked after. */
import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { Host } from '../../language/host/host.js';
import { firstDamage, type LookOptions } from '../../language/host/seal-damage.js';
import type { SealedFile } from '../../language/host/sealed-file.js';
import type { StageRecord, StageResult } from '../../language/ir/outputs.js';
import { filesBelow, sealFile } from './digest.js';

/** A file as it was when the entry was sealed. */
type OutsideFile = SealedFile & { readonly modified: number };

const isOutside = (path: string): boolean => isAbsolute(path) || path.startsWith('..');

/** The place of an output: inside the entry, relative to it, or absolute. */
export const outputPath = (entry: string, path: string): string =>
  isAbsolute(path) ? path : join(entry, path);

/** Outputs with paths relative to the entry where they lie in the working directory: both may be moved together. */
export function portable(result: StageResult, cwd: string, entry: string): StageResult {
  const outputs = Object.entries(result.outputs).map(([name, path]) => {
    const inside = isAbsolute(path) && !relative(cwd, path).startsWith('..');
    return [name, inside ? relative(entry, path).split(sep).join('/') : path];
  });
  return { ...result, outputs: Object.fromEntries(outputs) };
}

/** What is outside, file by file; `undefined` if nothing does. */
export function recordOutside(result: StageResult, entry: string): StageRecord['outside'] {
  const found = Object.values(result.outputs)
    .filter(isOutside)
    .filter((path) => existsSync(outputPath(entry, path)))
    .map((path) => [path, describe(outputPath(entry, path))] as const);
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function describe(folder: string): Readonly<Record<string, OutsideFile>> {
  const files = filesBelow(folder).map((name) => {
    const path = join(folder, name);
    return [name, { ...sealFile(path), modified: statSync(path).mtimeMs }] as const;
  });
  return Object.fromEntries(files);
}

/** Whether someone has taken an output away: nothing is damaged then, the stage only has to run again. */
export const isGone = ({ result }: StageRecord, entry: string): boolean =>
  Object.values(result.outputs)
    .filter(isOutside)
    .some((path) => !existsSync(outputPath(entry, path)));

/** The first output that is no longer what was written. */
export function outsideDamage(
  host: Host,
  { outside = {} }: StageRecord,
  entry: string,
  options: LookOptions,
): { readonly path: string; readonly detail: string } | undefined {
  for (const [path, files] of Object.entries(outside)) {
    const folder = outputPath(entry, path);
    const detail = firstDamage(host, folder, files, options);
    if (detail !== undefined) return { path: folder, detail };
  }
  return undefined;
}
