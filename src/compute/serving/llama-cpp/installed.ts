/** Where llama.cpp is installed, and the files of an installation. */
import { join } from 'node:path';
import * as v from 'valibot';
import { llamaDamaged, llamaMissing } from '../../../language/diagnostics/catalogue/llama.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { finite, type JsonOf, tryJsonFile, version } from '../../../language/host/json.js';
import { damageOf, INSTALLED_FILES, type Look, MANIFEST } from '../../libraries/damage.js';
import { runtimesFolder } from '../../tensor/runtimes/tensorflow/installed.js';

/** As its folder, its commands and people call it. */
export const LLAMA = 'llama.cpp';

/** `manifest.json`, written last: a folder without it is no installation. */
const LLAMA_MANIFEST = v.object({
  version: version(1),
  /** Version of node-llama-cpp, whose binary is installed. */
  package: v.string(),
  /** The release of llama.cpp that it was built from. */
  llama: v.string(),
  device: v.picklist(['cuda', 'vulkan', 'metal', 'cpu']),
  /** Path of the library that Node loads, in the folder. */
  addon: v.string(),
  bytes: finite,
  files: INSTALLED_FILES,
});
export type LlamaManifest = JsonOf<typeof LLAMA_MANIFEST>;

export const llamaFolder = (host: Host): string => join(runtimesFolder(host), LLAMA);

/** `undefined` if it is not installed, or without what is written last. */
export const readLlama = (host: Host): LlamaManifest | undefined =>
  tryJsonFile(LLAMA_MANIFEST, host, join(llamaFolder(host), MANIFEST));

/** What is wrong with what is installed, if anything. */
export function llamaDamage(host: Host, look?: Look): string | undefined {
  const found = readLlama(host);
  return found && damageOf(host, llamaFolder(host), found.files, look);
}

/** As people and outputs name it. */
export const llamaVersion = ({ llama, device }: LlamaManifest): string =>
  `${llama}${device === 'cpu' ? '' : `+${device}`}`;

/** The library that Node loads. Throws a `UserError` if there is none, or if it is damaged. */
export function llamaAddon(host: Host): { readonly path: string; readonly device: LlamaManifest['device'] } {
  const found = readLlama(host);
  if (found === undefined) throw new UserError(llamaMissing());
  const damage = llamaDamage(host);
  if (damage !== undefined) throw new UserError(llamaDamaged(damage));
  return { path: join(llamaFolder(host), found.addon), device: found.device };
}
