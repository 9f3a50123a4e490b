/** A file that stands in for memory: the system keeps in its cache what it has room for. */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import type { Pages } from '../../language/ir/outputs.js';
import { writing } from './store-diagnostics.js';

/** At most this much a system call. */
const WINDOW = 1 << 26;

export function openPages(path: string): Pages {
  const file = writing(path, undefined, () => openSync(path, 'w+'));
  const whole = (bytes: Uint8Array, move: (done: number, count: number) => number): void => {
    let done = 0;
    while (done < bytes.byteLength) {
      const moved = move(done, Math.min(WINDOW, bytes.byteLength - done));
      if (moved === 0) throw new Error(`${path} ends before what was written into it`);
      done += moved;
    }
  };
  return {
    read(position, into) {
      whole(into, (done, count) => readSync(file, into, done, count, position + done));
    },
    write(position, bytes) {
      writing(path, bytes.byteLength, () =>
        whole(bytes, (done, count) => writeSync(file, bytes, done, count, position + done)),
      );
    },
    close() {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}
