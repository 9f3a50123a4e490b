import { currentInTheWay, writing } from './release-diagnostics.js';
import { CURRENT, listReleases, type Release, releaseName } from './releases.js';
import type { ReleaseDisk } from './world.js';

export function currentRelease(world: ReleaseDisk, folder: string): Release | undefined {
  return listReleases(world, folder).find(({ current }) => current);
}

/** Throws a `UserError` if no release can be published in this folder. */
export function checkTarget(world: ReleaseDisk, folder: string): void {
  writing(() => world.disk.mayFill(folder));
  checkCurrent(world, folder);
}

function checkCurrent({ host, disk }: ReleaseDisk, folder: string): void {
  const path = `${folder}/${CURRENT}`;
  if (disk.readLink(path) === undefined && host.stat(path) !== undefined) throw currentInTheWay(path);
}

/** Makes a release current in one step: whoever follows the link sees the old release or the new one. */
export function moveCurrent(world: ReleaseDisk, folder: string, number: number): void {
  checkCurrent(world, folder);
  const { disk } = world;
  const path = `${folder}/${CURRENT}`;
  const temporary = `${folder}/.${CURRENT}-${disk.pid}`;
  disk.remove(temporary);
  disk.link(releaseName(number), temporary);
  disk.rename(temporary, path);
}
