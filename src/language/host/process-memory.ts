import { readFileSync, writeFileSync } from 'node:fs';

/** The most that has been resident in a process, in bytes; `undefined` if the system does not say. */
export function peakMemoryOf(pid: number | 'self'): number | undefined {
  try {
    const line = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line === null ? undefined : Number(line[1]) * 1024;
  } catch {
    return undefined;
  }
}

/** The same for this process; if there is no `/proc`, as `getrusage` has it. */
export const ownPeakMemory = (): number => peakMemoryOf('self') ?? process.resourceUsage().maxRSS * 1024;

/** How often the system has killed a process because memory ran out, since it was started. */
function memoryKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Says of a stage's process whose signal was SIGKILL whether memory was why. */
type KillWatch = () => boolean;

/**
 * The system counts its kills and does not say whose they are. Each explains the end of one process: of several stages,
 * one that somebody else ends later is not taken for a second victim.
 */
export function killLedger(count: () => number = memoryKills): () => KillWatch {
  let explained = 0;
  return () => {
    const before = count() - explained;
    return () => {
      if (count() - explained <= before) return false;
      explained++;
      return true;
    };
  };
}

/** Lets the system, where it runs out of memory, end this process rather than the one that waits for it. */
export function volunteer(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '500');
  } catch {
    // Not Linux, or not allowed: the system then goes by size alone, and the stage is the larger one.
  }
}
