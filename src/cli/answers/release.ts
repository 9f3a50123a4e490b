import { join, resolve } from 'node:path';
import { readManifest } from '../../packaging/manifest/index.js';
import type { Host } from '../../source/host.js';
import type { OpenOptions } from './open.js';

/** Where a model is, and how the release says that it is to be held. */
export interface AnsweringFolder {
  /** Absolute. */
  readonly folder: string;
  readonly base?: string;
  readonly quantised: boolean;
}

/** A folder of releases stands for its current one; a release's manifest knows the base of its adapter. */
export function answeringFolder(host: Host, name: string, given: OpenOptions): AnsweringFolder {
  const path = resolve(host.cwd, name);
  const folder = host.stat(join(path, 'current'))?.isFolder === true ? join(path, 'current') : path;
  const plain = { folder, base: given.base, quantised: given.quantised };
  if (host.stat(join(folder, 'manifest.json')) === undefined) return plain;
  const manifest = readManifest(host, folder);
  if ('damage' in manifest || manifest.kind !== 'adapter') return plain;
  return {
    folder,
    base: given.base ?? resolve(folder, manifest.base.folder),
    quantised: given.quantised || manifest.base.storage === 'nf4',
  };
}
