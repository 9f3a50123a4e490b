import type { ReleaseAccess } from './releases.js';

const PUBLISHING = /^\.(?:publishing|current)-(\d+)/;

/** The folder in which this process prepares a release; others never take it for one. */
export function publishingFolder({ disk }: Pick<ReleaseAccess, 'disk'>, folder: string): string {
  return `${folder}/.publishing-${disk.pid}`;
}

/** Removes what processes left behind that were killed while they published. */
export function sweepLeftovers({ host, disk }: ReleaseAccess, folder: string): void {
  for (const name of host.list(folder)) {
    const [, pid] = PUBLISHING.exec(name) ?? [];
    if (pid !== undefined && (Number(pid) === disk.pid || !disk.alive(Number(pid))))
      disk.remove(`${folder}/${name}`);
  }
}
