/** `NAME.plan.json` next to a pipeline: the plan that its authors agreed on. Contract: docs/schema/snapshot.json. */
import * as v from 'valibot';
import {
  snapshotMalformed,
  snapshotMissing,
  snapshotVersion,
} from '../../../language/diagnostics/catalogue/review.js';
import { type Diagnostic, UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import {
  count,
  finite,
  JsonFault,
  type JsonOf,
  parseJson,
  positive,
  record,
  version,
} from '../../../language/host/json.js';
import { STAGE_KINDS } from '../../../language/ir/program.js';
import { positionAt, sourceText } from '../../../language/source/text.js';
import { canonical } from '../../../pipeline/planner/canonical.js';

export const SNAPSHOT_VERSION = 1;

const TEXTS = record(v.string());
const BYTES = v.pipe(finite, v.gtValue(0, 'above 0'));

/** What the plan was made for; every machine that reads the file plans for the same. */
const MACHINE = v.variant('kind', [
  /** One of the catalogue, perhaps with another size. */
  v.strictObject({
    kind: v.literal('catalogue'),
    name: v.string(),
    memoryBytes: v.optional(BYTES),
    devices: v.optional(positive),
  }),
  v.strictObject({ kind: v.literal('memory'), memoryBytes: BYTES }),
  /** As much memory as the pipeline's budget allows. */
  v.strictObject({ kind: v.literal('budget') }),
]);
export type SnapshotMachine = JsonOf<typeof MACHINE>;

/** Times are not among them: they are those of a machine. */
const FIGURES = v.strictObject({
  rows: v.optional(count),
  tokens: v.optional(count),
  steps: v.optional(count),
  tokensSeen: v.optional(count),
  trainableParameters: v.optional(count),
  totalParameters: v.optional(count),
  peakMiB: v.optional(count),
});
export type SnapshotFigures = JsonOf<typeof FIGURES>;

const STAGE = v.strictObject({
  name: v.string(),
  kind: v.picklist(STAGE_KINDS),
  /** By path, as they would be in a file. */
  settings: TEXTS,
  /** What the planner chose. */
  chosen: TEXTS,
  requires: v.array(v.string()),
  figures: FIGURES,
});
export type SnapshotStage = JsonOf<typeof STAGE>;

const SNAPSHOT = v.strictObject({
  version: version(SNAPSHOT_VERSION),
  machine: MACHINE,
  /** As they were given on the command line. */
  params: TEXTS,
  /** What computes, where that is not the embedded engine. */
  computing: v.optional(TEXTS),
  stages: v.array(STAGE),
  budget: v.array(v.strictObject({ require: v.string(), holds: v.nullable(v.boolean()) })),
  diagnostics: v.array(
    v.strictObject({
      code: v.string(),
      severity: v.picklist(['error', 'warning', 'info']),
      message: v.string(),
    }),
  ),
});
export type Snapshot = JsonOf<typeof SNAPSHOT>;

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
