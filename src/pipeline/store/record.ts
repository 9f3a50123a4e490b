import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { JsonFault, parseJson } from '../../language/host/json.js';
import { STAGE_RECORD, type StageRecord } from '../../language/ir/outputs.js';
import { newPartName, renamed } from '../stages/train-plan/fields.js';

export const RECORD = 'stage.json';

/** A record as its file has it: with a digest of itself, since the metrics in it decide gates. */
export const recordText = (record: StageRecord): string =>
  `${JSON.stringify({ ...record, check: digestOf(record) }, null, 2)}\n`;

const digestOf = (record: object): string =>
  createHash('sha256').update(JSON.stringify(record)).digest('hex');

/** Records of before have no digest. */
const WITH_CHECK = v.object({ ...STAGE_RECORD.entries, check: v.optional(v.unknown()) });

/** The record of a store entry; what is wrong with it if there is no sound one. */
export function readRecord(folder: string): StageRecord | { readonly damage: string } {
  let text: string;
  try {
    text = readFileSync(join(folder, RECORD), 'utf8');
  } catch {
    return { damage: `\`${RECORD}\` cannot be read` };
  }
  const found = parseJson(WITH_CHECK, text);
  if (found instanceof JsonFault) return { damage: `\`${RECORD}\` has another form: ${found.detail}` };
  const { check, ...record } = found;
  return check === undefined || check === digestOf(record)
    ? { ...record, parts: renamed(record.parts, newPartName) }
    : { damage: `\`${RECORD}\` does not have the content that was written` };
}
