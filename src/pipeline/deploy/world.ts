import type { Disk } from '../../language/host/disk.js';
import type { Host } from '../../language/host/host.js';

/** Where releases are read and written. */
export interface ReleaseDisk {
  readonly host: Host;
  readonly disk: Disk;
}
