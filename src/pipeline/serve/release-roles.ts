import { basename } from 'node:path';
import { readCanary } from '../deploy/canary.js';
import { CURRENT, type ReleaseAccess } from '../deploy/releases.js';

/** What a folder of releases says about who answers: numbers of releases. */
export interface ReleaseRoles {
  readonly current?: number;
  /** `share`: of the requests, above 0 and below 1. */
  readonly canary?: { readonly number: number; readonly share: number };
}

/** Reads a link and a small file: it may be called often. */
export function readRoles(access: ReleaseAccess, folder: string): ReleaseRoles {
  const { host, disk } = access;
  const name = basename(disk.readLink(`${folder}/${CURRENT}`) ?? '');
  const isThere = /^\d{4,}$/.test(name) && host.stat(`${folder}/${name}`)?.isFolder === true;
  const canary = readCanary(access, folder);
  return {
    ...(isThere && { current: Number(name) }),
    ...(canary !== undefined && { canary: { number: canary.release, share: canary.share } }),
  };
}
