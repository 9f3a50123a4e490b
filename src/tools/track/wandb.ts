/**
 * Weights & Biases, offline: a folder that `wandb sync` uploads (https://docs.wandb.ai/guides/track/offline). Its file is a log of
 * LevelDB's format, with a header of its own and CRC-32, of `Record` messages (wandb_internal.proto).
 */
import { join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { makeFolders } from '../../language/host/node-folders.js';
import { type Field, integer, message, text } from './protobuf.js';
import { replaceBytes } from './replace-bytes.js';
import type { TrackedRun } from './tracked-run.js';
import type { Tracker } from './tracker.js';

const BLOCK = 32_768;
const RECORD_HEADER = 7;
/** Whether a part of a record is all of it, or its first, a middle or its last one. */
const PART = { full: 1, first: 2, middle: 3, last: 4 } as const;

/** `:W&B`, the magic number and the version. */
const FILE_HEADER = Uint8Array.from([...Buffer.from(':W&B'), 0xe1, 0xbe, 0]);

/** Records as a log: parts that do not cross the end of a block, and zeros where none begins. */
export function logOf(records: readonly Uint8Array[]): Uint8Array {
  const pieces: Uint8Array[] = [FILE_HEADER];
  let used = FILE_HEADER.length;
  for (const record of records) {
    let from = 0;
    do {
      if (BLOCK - used < RECORD_HEADER) {
        pieces.push(new Uint8Array(BLOCK - used));
        used = 0;
      }
      const to = Math.min(record.length, from + BLOCK - used - RECORD_HEADER);
      const isLast = to === record.length;
      const type = from === 0 ? (isLast ? PART.full : PART.first) : isLast ? PART.last : PART.middle;
      pieces.push(partOf(type, record.subarray(from, to)));
      used = (used + RECORD_HEADER + to - from) % BLOCK;
      from = to;
    } while (from < record.length);
  }
  return Buffer.concat(pieces);
}

function partOf(type: number, data: Uint8Array): Uint8Array {
  const header = Buffer.alloc(RECORD_HEADER);
  header.writeUInt32LE(crc32(data, crc32(Uint8Array.of(type))), 0);
  header.writeUInt16LE(data.length, 4);
  header.writeUInt8(type, 6);
  return Buffer.concat([header, data]);
}

/** Numbers of the fields of `Record`. */
const RECORD = { number: 1, history: 2, summary: 3, run: 17, exit: 18, header: 21 } as const;

/** Of an item of a history, a configuration or a summary. */
const item = (field: number, key: string, value: unknown): Field =>
  message(field, text(1, key), text(16, JSON.stringify(value)));

const ID_LENGTH = 16;

/** The same training is the same run there. */
const idOf = ({ key }: TrackedRun): string => key.slice(0, ID_LENGTH);

const SECOND = 1000;

function recordsOf(
  run: TrackedRun,
  { project, entity }: Readonly<Record<string, unknown>>,
): readonly Uint8Array[] {
  const configuration = Object.entries({
    ...run.params,
    pipeline: run.pipeline,
    stage: run.stage,
    key: run.key,
  });
  const summary = [
    ...run.figures.map(({ name, value }): [string, unknown] => [name, value]),
    ...run.notes.map(({ name, markdown }): [string, unknown] => [`ftpc/${name}`, markdown]),
  ];
  const seconds = run.started / SECOND;
  const fields: readonly Field[] = [
    message(RECORD.header, message(1, text(1, VERSION), text(2, VERSION))),
    message(
      RECORD.run,
      text(1, idOf(run)),
      ...(typeof entity === 'string' ? [text(2, entity)] : []),
      text(3, String(project)),
      message(4, ...configuration.map(([name, value]) => item(1, name, value))),
      text(8, run.name),
      message(17, integer(1, Math.floor(seconds)), integer(2, Math.round((seconds % 1) * 1e9))),
    ),
    ...historyOf(run),
    ...(summary.length === 0
      ? []
      : [message(RECORD.summary, ...summary.map(([name, value]) => item(1, name, value)))]),
    ...(run.status === 'unfinished'
      ? []
      : [message(RECORD.exit, integer(1, run.status === 'failed' ? 1 : 0))]),
  ];
  return fields.map((field, index) => Buffer.concat([integer(RECORD.number, index + 1), field]));
}

/** The format's, as the first version of wandb that reads it says. */
const VERSION = '0.12.0';

/** A step is one row of a run, with what was validated after it. */
function historyOf({ points, started }: TrackedRun): readonly Field[] {
  const rows = new Map<number, { at: number; values: Record<string, number> }>();
  for (const { at, step, values } of points) {
    const row = rows.get(step) ?? { at, values: {} };
    rows.set(step, { at, values: { ...row.values, ...values } });
  }
  return [...rows].map(([step, { at, values }]) =>
    message(
      RECORD.history,
      ...Object.entries(values).map(([name, value]) => item(1, name, value)),
      item(1, '_step', step),
      item(1, '_timestamp', at / SECOND),
      item(1, '_runtime', (at - started) / SECOND),
      message(2, integer(1, step)),
    ),
  );
}

/** `20261125_021354` */
const stamp = (at: number): string =>
  new Date(at).toISOString().slice(0, 19).replaceAll('-', '').replaceAll(':', '').replace('T', '_');

const pathOf = (run: TrackedRun, folder: string): string =>
  join(folder, `offline-run-${stamp(run.started)}-${idOf(run)}`, `run-${idOf(run)}.wandb`);

export const wandb: Tracker = {
  place: ({ project }) => `project ${String(project)}`,
  async deliver(run, args, { cwd }) {
    const path = pathOf(run, resolve(cwd, String(args['folder'])));
    makeFolders(join(path, '..'));
    replaceBytes(path, logOf(recordsOf(run, args)));
    return { where: join(path, '..') };
  },
};
