import { type ReleaseManifest, readManifest } from '../../compute/packaging/manifest/index.js';
import type { Disk } from '../../language/host/disk.js';
import type { Host } from '../../language/host/host.js';

/** Where releases are read and written. */
export interface ReleaseAccess {
  readonly host: Host;
  readonly disk: Disk;
}

export const CURRENT = 'current';

export interface Release {
  readonly number: number;
  /** Absolute folder. */
  readonly path: string;
  /** Whether `current` points at it. */
  readonly current: boolean;
  /** Left out where it can't be read; `damage` says why. */
  readonly manifest?: ReleaseManifest;
  readonly damage?: string;
}

/** `0001`: four digits, more if they are needed, so that names sort as numbers do for long. */
export function releaseName(number: number): string {
  return String(number).padStart(4, '0');
}

/** Every release of a folder, lowest number first; none if the folder does not exist. */
export function listReleases({ host, disk }: ReleaseAccess, folder: string): readonly Release[] {
  if (host.stat(folder)?.isFolder !== true) return [];
  const current = disk.readLink(`${folder}/${CURRENT}`);
  return host
    .list(folder)
    .filter((name) => /^\d{4,}$/.test(name) && host.stat(`${folder}/${name}`)?.isFolder === true)
    .map((name): Release => {
      const path = `${folder}/${name}`;
      const found = { number: Number(name), path, current: current === name };
      const manifest = readManifest(host, path);
      return 'damage' in manifest ? { ...found, damage: manifest.damage } : { ...found, manifest };
    })
    .sort((a, b) => a.number - b.number);
}
