/** What the process of a stage prints, native code above all: kept per stage, next to the journal. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Layout, runFolder } from '../store/index.js';

/** Bytes kept of a stage at most: what comes first says most about what went wrong. */
const MOST = 1 << 20;

const ENDING = '.out';

/** Instances of a matrix have signs in their names that not every file system takes. */
export const printedPath = (layout: Layout, runId: string, stage: string): string =>
  join(runFolder(layout, runId), `${encodeURIComponent(stage)}${ENDING}`);

/** The stage whose file that is; `undefined` for other files of a run. */
export const stageOfPrinted = (name: string): string | undefined =>
  name.endsWith(ENDING) ? decodeURIComponent(name.slice(0, -ENDING.length)) : undefined;

/** Takes what a process prints; what a disk refuses is not worth ending a stage for. */
export function keepPrinted(path: string): (chunk: Buffer) => void {
  let room = MOST;
  return (chunk) => {
    if (room <= 0) return;
    const taken = chunk.subarray(0, room);
    room -= chunk.byteLength;
    try {
      appendFileSync(path, taken);
      if (room <= 0) appendFileSync(path, '\n… the rest is not kept\n');
    } catch {
      room = 0;
    }
  };
}
