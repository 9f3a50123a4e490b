import type { Caches } from './caches.js';
import { DeviceCaches } from './device-caches.js';
import { HostCaches } from './host-caches.js';
import type { Machine } from './machine.js';

/** Within the memory of the host, arrays that are appended to in place are faster than graphs that write whole caches. */
export const createCaches = (machine: Machine, rows: number): Caches =>
  machine.options.runtime.device === 'GPU' ? new DeviceCaches(machine, rows) : new HostCaches(machine, rows);
