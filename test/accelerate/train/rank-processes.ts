/** The ranks that train in a folder, as the operating system has them. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Their process ids. */
export const ranksIn = (cwd: string): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes('ftpc_driver') && command.includes(cwd);
      } catch {
        return false;
      }
    })
    .map(Number);

export async function untilGone(cwd: string): Promise<void> {
  while (ranksIn(cwd).length > 0) await sleep(20);
}

/** Kills one of them, if there is one. */
export function killRank(cwd: string, which = 0): void {
  const ranks = ranksIn(cwd);
  const pid = ranks[which % Math.max(1, ranks.length)];
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}
