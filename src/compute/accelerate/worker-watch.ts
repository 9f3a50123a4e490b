import { peakMemoryOf } from '../../language/host/process-memory.js';
import { isStopped } from './rank-process.js';
import type { WorkerCommand } from './worker-child.js';
import type { WorkerFailure } from './worker-diagnostics.js';
import type { WorkerLine } from './worker-lines.js';

/** What is heard of a process, and whether that is too little. */
export function watcher({ bounds, memory }: WorkerCommand, isAsked: () => boolean) {
  const seen = { heard: performance.now(), worked: performance.now(), work: -1, looked: performance.now() };
  let isReady = false;
  let peak = 0;
  return {
    asked(): void {
      seen.worked = performance.now();
    },
    heard(line: WorkerLine): void {
      seen.heard = performance.now();
      if ('ready' in line) isReady = true;
      if ('alive' in line && line.alive === seen.work) return;
      if ('alive' in line) seen.work = line.alive;
      seen.worked = seen.heard;
    },
    memory(pid: number | undefined): void {
      const bytes = pid === undefined ? 0 : (peakMemoryOf(pid) ?? 0);
      if (bytes > peak) memory?.(bytes);
      peak = Math.max(peak, bytes);
    },
    /** A process that says that it lives and gets on with nothing hangs too; to read a large base takes long. */
    silent(pid: number | undefined): WorkerFailure | undefined {
      const now = performance.now();
      // where this process itself was stopped, nothing that was said meanwhile was read
      if (now - seen.looked > bounds.silence / 2) seen.heard = seen.worked = now;
      seen.looked = now;
      if (!isAsked()) return undefined;
      const quiet = now - seen.heard;
      const idle = now - seen.worked;
      if (quiet <= (isReady ? bounds.silence : bounds.start) && idle <= bounds.start) return undefined;
      const seconds = Math.max(quiet, isReady ? idle : 0) / 1000;
      return {
        why: 'silent',
        seconds,
        isStopped: isStopped(pid),
        isStarting: !isReady || idle > bounds.start,
      };
    },
  };
}
