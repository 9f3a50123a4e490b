/** Validation losses of a training, by step, wherever it has got to: in its output, or in its newest checkpoint. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { CHECKPOINT_FOLDERS, STORED_STATE } from '../../compute/training/checkpoint.js';
import { figure, jsonLines, tryJson } from '../../language/host/json.js';
import type { Store } from '../store/index.js';

const LINE = v.object({ type: v.literal('validation'), step: figure, loss: figure });

export function validationLosses(
  store: Pick<Store, 'find' | 'workPath'>,
  key: string,
): ReadonlyMap<number, number> {
  const entry = store.find(key);
  const found =
    entry === undefined ? inCheckpoints(store.workPath(key)) : inCurves(join(entry.path, 'metrics.jsonl'));
  return new Map(found.map(({ step, loss }) => [step, loss]));
}

type Losses = readonly { readonly step: number; readonly loss: number }[];

const inCurves = (path: string): Losses =>
  existsSync(path)
    ? jsonLines(LINE, readFileSync(path, 'utf8'), (line) => line.includes('"validation"'))
    : [];

const inCheckpoints = (work: string): Losses =>
  CHECKPOINT_FOLDERS.map((folder) => inFolder(join(work, folder))).find((found) => found !== undefined) ?? [];

/** Each state has all that were before it; `undefined`: there is none. */
function inFolder(folder: string): Losses | undefined {
  if (!existsSync(folder)) return undefined;
  for (const name of readdirSync(folder).sort().reverse()) {
    const path = join(folder, name, 'state.json');
    if (!name.startsWith('step-') || !existsSync(path)) continue;
    const stored = tryJson(STORED_STATE, readFileSync(path, 'utf8'));
    if (stored !== undefined) return stored.state.validations;
  }
  return undefined;
}
