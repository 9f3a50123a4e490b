/** `NAME.plan.json` next to a pipeline: the plan that its authors agreed on. Contract: docs/schema/snapshot.json. */
import * as v from 'valibot';
import { type Checked, count, finite, positive, record, version } from '../../../language/host/json.js';
import { STAGE_KINDS } from '../../../language/ir/program.js';

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
export type SnapshotMachine = Checked<typeof MACHINE>;

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
export type SnapshotFigures = Checked<typeof FIGURES>;

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
export type SnapshotStage = Checked<typeof STAGE>;

export const SNAPSHOT = v.strictObject({
  version: version(SNAPSHOT_VERSION),
  machine: MACHINE,
  /** As they were given on the command line. */
  params: TEXTS,
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
export type Snapshot = Checked<typeof SNAPSHOT>;
