/** Reads a snapshot: an invalid one, or one of another version, is a diagnostic. */
import {
  snapshotMalformed,
  snapshotMissing,
  snapshotVersion,
} from '../../../language/diagnostics/catalogue/review.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { positionAt, sourceText } from '../../../language/source/text.js';
import { canonical } from '../../../pipeline/planner/canonical.js';
import { SNAPSHOT_VERSION, type Snapshot } from './types.js';

/** `legal.ftp` → `legal.plan.json` */
export const snapshotPath = (pipeline: string): string => `${pipeline.replace(/\.ftp$/, '')}.plan.json`;

/** `path` is absolute, `shown` how it is called. Throws a `UserError`. */
export async function readSnapshot(host: Host, path: string, shown: string): Promise<Snapshot> {
  if (host.stat(path) === undefined) throw new UserError(snapshotMissing(shown));
  const text = host.readText(path);
  const value = parse(text, shown);
  const version =
    value !== null && typeof value === 'object' && 'version' in value ? value.version : undefined;
  if (typeof version === 'number' && version !== SNAPSHOT_VERSION)
    throw new UserError(snapshotVersion(shown, version, SNAPSHOT_VERSION));
  const problem = await schemaProblem(host, value);
  if (problem !== undefined)
    throw new UserError(snapshotMalformed({ file: shown, line: 0, column: 0 }, problem));
  return value as Snapshot;
}

function parse(text: string, shown: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const offset = Number(/at position (\d+)/.exec(said)?.[1] ?? Number.NaN);
    const place = Number.isNaN(offset) ? { line: 0, column: 0 } : positionAt(sourceText(shown, text), offset);
    const isConflict = /^(?:<{7}|={7}|>{7})/m.test(text);
    const why = isConflict ? 'it has merge conflict markers' : 'it is not JSON';
    throw new UserError(snapshotMalformed({ file: shown, ...place }, why));
  }
}

/** The published schema is the one that is checked. */
async function schemaProblem(host: Host, value: unknown): Promise<string | undefined> {
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const schema = JSON.parse(host.readText(`${host.packageFolder}/docs/schema/snapshot.json`)) as object;
  const validate = new Ajv2020({ strict: false }).compile(schema);
  if (validate(value)) return undefined;
  const [first] = validate.errors ?? [];
  const where = first?.instancePath === '' ? 'it' : `\`${first?.instancePath}\``;
  return `${where} ${first?.message ?? 'is not what a snapshot has'}`;
}

export const sameMachine = (a: Snapshot['machine'], b: Snapshot['machine']): boolean =>
  canonical(a) === canonical(b);

/** A line for every value, keys in a fixed order, so that a pull request shows what changed. */
export const snapshotText = (snapshot: Snapshot): string => `${JSON.stringify(snapshot, null, 2)}\n`;
