import { currentInTheWay, writing } from './release-diagnostics.js';
import { CURRENT, listReleases, type Release, type ReleaseAccess, releaseName } from './releases.js';

export function currentRelease(access: ReleaseAccess, folder: string): Release | undefined {
  return listReleases(access, folder).find(({ current }) => current);
}

/** Throws a `UserError` if no release can be published in this folder. */
export function checkTarget(access: ReleaseAccess, folder: string): void {
  writing(() => access.disk.mayFill(folder));
  checkCurrent(access, folder);
}

function checkCurrent({ host, disk }: ReleaseAccess, folder: string): void {
  const path = `${folder}/${CURRENT}`;
  if (disk.readLink(path) === undefined && host.stat(path) !== undefined) throw currentInTheWay(path);
}

/** Makes a release current in one step: whoever follows the link sees the old release or the new one. */
export function moveCurrent(access: ReleaseAccess, folder: string, number: number): void {
  checkCurrent(access, folder);
  const { disk } = access;
  const path = `${folder}/${CURRENT}`;
  const temporary = `${folder}/.${CURRENT}-${disk.pid}`;
  disk.remove(temporary);
  disk.link(releaseName(number), temporary);
  disk.rename(temporary, path);
}
