import type { Host } from './host.js';

/** The user's home; the working folder stands for it where the system does not say. */
export const homeOf = (host: Pick<Host, 'env' | 'cwd'>): string =>
  host.env('HOME') || host.env('USERPROFILE') || host.cwd;
