import { currentInTheWay } from './problems.js';
import { CURRENT, listReleases, type Release, releaseName } from './releases.js';
import type { ReleaseWorld } from './world.js';

export function currentRelease(world: ReleaseWorld, folder: string): Release | undefined {
  return listReleases(world, folder).find(({ current }) => current);
}

/** Makes a release current in one step: whoever follows the link sees the old release or the new one. */
export function moveCurrent({ host, disk }: ReleaseWorld, folder: string, number: number): void {
  const path = `${folder}/${CURRENT}`;
  if (disk.readLink(path) === undefined && host.stat(path) !== undefined) throw currentInTheWay(path);
  const temporary = `${folder}/.${CURRENT}-${disk.pid}`;
  disk.remove(temporary);
  disk.link(releaseName(number), temporary);
  disk.rename(temporary, path);
}
