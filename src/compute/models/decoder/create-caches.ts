import type { Caches } from './caches.js';
import type { DecoderContext } from './context.js';
import { DeviceCaches } from './device-caches.js';
import { HostCaches } from './host-caches.js';

/** Within the memory of the host, arrays that are appended to in place are faster than graphs that write whole caches. */
export const createCaches = (context: DecoderContext, rows: number): Caches =>
  context.options.runtime.device === 'GPU' ? new DeviceCaches(context, rows) : new HostCaches(context, rows);
