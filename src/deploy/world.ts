import type { Disk } from '../source/disk.js';
import type { Host } from '../source/host.js';

/** Where releases are read and written. */
export interface ReleaseWorld {
  readonly host: Host;
  readonly disk: Disk;
}
