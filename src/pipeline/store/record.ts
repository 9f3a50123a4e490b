import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StageRecord } from '../../language/ir/outputs.js';
import { newPartName, renamed } from '../stages/old-names.js';

export const RECORD = 'stage.json';

/** A record as its file has it: with a digest of itself, since the metrics in it decide gates. */
export const recordText = (record: StageRecord): string =>
  `${JSON.stringify({ ...record, check: digestOf(record) }, null, 2)}\n`;

const digestOf = (record: object): string =>
  createHash('sha256').update(JSON.stringify(record)).digest('hex');

/** The record of a store entry; what is wrong with it where there is no sound one. */
export function readRecord(folder: string): StageRecord | { readonly damage: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(join(folder, RECORD), 'utf8'));
  } catch {
    return { damage: `\`${RECORD}\` cannot be read` };
  }
  if (!isRecord(parsed)) return { damage: `\`${RECORD}\` has another form` };
  const { check, ...record } = parsed as StageRecord & { readonly check?: unknown };
  // records of before have none
  return check === undefined || check === digestOf(record)
    ? { ...record, parts: renamed(record.parts, newPartName) }
    : { damage: `\`${RECORD}\` does not have the content that was written` };
}

function isRecord(value: unknown): value is StageRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { version, kind, key, parts, files, outside, result, seconds, peakMemoryBytes } = value as Record<
    string,
    unknown
  >;
  return (
    version === 1 &&
    typeof kind === 'string' &&
    typeof key === 'string' &&
    isObject(parts) &&
    isObject(files) &&
    (outside === undefined || (isObject(outside) && Object.values(outside).every(isObject))) &&
    isObject(result) &&
    isObject(result['outputs']) &&
    isObject(result['metrics']) &&
    typeof seconds === 'number' &&
    typeof peakMemoryBytes === 'number'
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
