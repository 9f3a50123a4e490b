/**
 * Event files of TensorBoard: TFRecords of `Event` messages (tensorflow/core/util/event.proto). A file is written as a whole from
 * what is known of a training; one that begins with the same bytes is added to, since TensorBoard may be reading it.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolders } from '../../language/host/node-folders.js';
import { masked } from './crc32c.js';
import { double, type Field, float, integer, message, text } from './protobuf.js';
import { replaceBytes } from './replace-bytes.js';
import type { TrackedRun } from './tracked-run.js';
import type { Tracker } from './tracker.js';

/** A record: its length and the checksum of that, its bytes and the checksum of those. */
export function tfRecord(data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  const checksum = (bytes: Uint8Array): Uint8Array => {
    const found = Buffer.alloc(4);
    found.writeUInt32LE(masked(bytes));
    return found;
  };
  return Buffer.concat([length, checksum(length), data, checksum(data)]);
}

const SECONDS = 1000;

/** `at`: milliseconds since the epoch. */
const event = (at: number, step: number, ...fields: readonly Field[]): Uint8Array =>
  tfRecord(Buffer.concat([double(1, at / SECONDS), ...(step === 0 ? [] : [integer(2, step)]), ...fields]));

const scalar = (tag: string, value: number): Field => message(1, text(1, tag), float(2, value));

/** DT_STRING of types.proto. */
const STRING = 7;

/** A value of the text plugin: a tensor of one string, as Markdown. */
const note = (tag: string, markdown: string): Field =>
  message(
    1,
    text(1, tag),
    message(9, message(1, text(1, 'text'))),
    message(8, integer(1, STRING), message(2, message(2, integer(1, 1))), text(8, markdown)),
  );

/** Figures and notes come last, once the training is done: until then the file only grows, over all runs that work on it. */
export function eventFile({ started, status, points, figures, notes }: TrackedRun): Buffer {
  const isDone = status === 'done' || status === 'cached';
  const last = points.at(-1);
  const [at, step] = [last?.at ?? started, last?.step ?? 0];
  const values = !isDone
    ? []
    : [
        ...figures.map(({ name, value }) => scalar(name, value)),
        ...notes.map(({ name, markdown }) => note(`${name}/text_summary`, markdown)),
      ];
  return Buffer.concat([
    event(started, 0, text(3, 'brain.Event:2')),
    ...points.map(({ at: when, step: place, values: curves }) =>
      event(when, place, message(5, ...Object.entries(curves).map(([tag, value]) => scalar(tag, value)))),
    ),
    ...(values.length === 0 ? [] : [event(at, step, message(5, ...values))]),
  ]);
}

export const tensorboard: Tracker = {
  place: ({ folder }) => String(folder),
  async deliver(run, { folder }, { cwd }) {
    const inside = resolve(cwd, String(folder), run.name);
    makeFolders(inside);
    const path = join(
      inside,
      `events.out.tfevents.${Math.floor(run.started / SECONDS)}.ftpc.${run.key.slice(0, 12)}`,
    );
    const content = eventFile(run);
    const known = existsSync(path) ? readFileSync(path) : undefined;
    if (known !== undefined && content.subarray(0, known.length).equals(known)) {
      // all of it, or an error: a disk that is nearly full takes a part and says nothing
      appendFileSync(path, content.subarray(known.length));
    } else replaceBytes(path, content);
    return { where: inside };
  },
};
