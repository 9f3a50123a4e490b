/** Where each runtime of TensorFlow.js is installed, and the files of an installation. */
import { join } from 'node:path';
import * as v from 'valibot';
import type { Host } from '../../../../language/host/host.js';
import { finite, type JsonOf, record, tryJsonFile, version } from '../../../../language/host/json.js';
import { damageOf, INSTALLED_FILES, type Look, MANIFEST } from '../../../libraries/damage.js';
import { runtimesFolder } from '../tensorflow/installed.js';

/** The backends of TensorFlow.js that are runtimes here; each is a folder of its own. */
export const TFJS_NAMES = ['webgpu', 'wasm', 'cpu'] as const;
export type TfjsName = (typeof TFJS_NAMES)[number];

/** `manifest.json`, written last: a folder without it is no installation. */
const TFJS_MANIFEST = v.object({
  version: version(1),
  /** Versions of the packages by their names. */
  packages: record(v.string()),
  bytes: finite,
  /** Manifests of earlier versions have none, and are trusted. */
  files: v.optional(INSTALLED_FILES),
});
export type TfjsManifest = JsonOf<typeof TFJS_MANIFEST>;

export { MANIFEST };

/** The package that every backend is built on. */
export const CORE = '@tensorflow/tfjs-core';

/** The package with Dawn, which gives Node WebGPU. */
export const DAWN = 'webgpu';

/** Folder of a system in that package. */
export const dawnBuild = (platform: string = process.platform, arch: string = process.arch): string =>
  platform === 'darwin' ? 'darwin-universal' : `${platform}-${arch}`;

export const tfjsFolder = (host: Host, name: TfjsName): string => join(runtimesFolder(host), name);

/** Folder of a package in an installation. */
export const packageFolder = (folder: string, name: string): string => join(folder, 'node_modules', name);

/** Dawn's library for this system. */
export const dawnPath = (folder: string): string =>
  join(packageFolder(folder, DAWN), 'dist', dawnBuild(), 'dawn.node');

/** `undefined` if it is not installed, or without what is written last. */
export function readTfjs(host: Host, name: TfjsName): TfjsManifest | undefined {
  const manifest = tryJsonFile(TFJS_MANIFEST, host, join(tfjsFolder(host, name), MANIFEST));
  return manifest?.packages[CORE] === undefined ? undefined : manifest;
}

/** What is wrong with what is installed, if anything. */
export function tfjsDamage(host: Host, name: TfjsName, look?: Look): string | undefined {
  const found = readTfjs(host, name);
  return found && damageOf(host, tfjsFolder(host, name), found.files, look);
}

/** As it is in keys of what is computed: the version of TensorFlow.js, and of Dawn where that computes. */
export function tfjsVersion({ packages }: TfjsManifest): string {
  const dawn = packages[DAWN];
  return `${packages[CORE]}${dawn === undefined ? '' : `+dawn-${dawn}`}`;
}
