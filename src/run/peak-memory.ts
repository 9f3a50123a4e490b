import { readFileSync } from 'node:fs';

/** The most that has been resident in a process, in bytes; `undefined` where the system does not say. */
export function peakMemoryOf(pid: number | 'self'): number | undefined {
  try {
    const line = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line === null ? undefined : Number(line[1]) * 1024;
  } catch {
    return undefined;
  }
}

/** The same for this process; where there is no `/proc`, as `getrusage` has it. */
export const ownPeakMemory = (): number => peakMemoryOf('self') ?? process.resourceUsage().maxRSS * 1024;

/** How often the system has killed for want of memory in this control group. */
export function memoryKills(): number {
  try {
    const line = /^oom_kill (\d+)$/m.exec(readFileSync('/sys/fs/cgroup/memory.events', 'utf8'));
    return Number(line?.[1] ?? 0);
  } catch {
    return 0;
  }
}
