/** Reads a snapshot: an invalid one, or one of another version, is a diagnostic. */
import * as v from 'valibot';
import {
  snapshotMalformed,
  snapshotMissing,
  snapshotVersion,
} from '../../../language/diagnostics/catalogue/review.js';
import { type Diagnostic, UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { JsonFault, parseJson } from '../../../language/host/json.js';
import { positionAt, sourceText } from '../../../language/source/text.js';
import { canonical } from '../../../pipeline/planner/canonical.js';
import { SNAPSHOT, SNAPSHOT_VERSION, type Snapshot } from './types.js';

/** `legal.ftp` → `legal.plan.json` */
export const snapshotPath = (pipeline: string): string => `${pipeline.replace(/\.ftp$/, '')}.plan.json`;

/** `path` is absolute, `shown` how it is called. Throws a `UserError`. */
export function readSnapshot(host: Host, path: string, shown: string): Snapshot {
  if (host.stat(path) === undefined) throw new UserError(snapshotMissing(shown));
  const text = host.readText(path);
  const snapshot = parseJson(SNAPSHOT, text);
  if (!(snapshot instanceof JsonFault)) return snapshot;
  throw new UserError(diagnosticOf(snapshot, text, shown));
}

function diagnosticOf({ detail, value }: JsonFault, text: string, shown: string): Diagnostic {
  if (v.is(OTHER_VERSION, value)) return snapshotVersion(shown, value.version, SNAPSHOT_VERSION);
  if (value !== undefined) return snapshotMalformed({ file: shown, line: 0, column: 0 }, detail);
  const offset = Number(/at position (\d+)/.exec(detail)?.[1] ?? Number.NaN);
  const place = Number.isNaN(offset) ? { line: 0, column: 0 } : positionAt(sourceText(shown, text), offset);
  const isConflict = /^(?:<{7}|={7}|>{7})/m.test(text);
  return snapshotMalformed(
    { file: shown, ...place },
    isConflict ? 'it has merge conflict markers' : 'it is not JSON',
  );
}

const OTHER_VERSION = v.object({ version: v.pipe(v.number(), v.notValue(SNAPSHOT_VERSION)) });

export const sameMachine = (a: Snapshot['machine'], b: Snapshot['machine']): boolean =>
  canonical(a) === canonical(b);

/** A line for every value, keys in a fixed order, so that a pull request shows what changed. */
export const snapshotText = (snapshot: Snapshot): string => `${JSON.stringify(snapshot, null, 2)}\n`;
