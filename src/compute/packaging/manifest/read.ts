import { type Host, HostError } from '../../../language/host/host.js';
import { isJson } from '../../models/json-file.js';
import type { ReleaseManifest } from './types.js';

export const MANIFEST = 'manifest.json';

/** A release's manifest, or what is wrong with it in a sentence. */
export function readManifest(host: Host, folder: string): ReleaseManifest | { readonly damage: string } {
  let value: unknown;
  try {
    value = JSON.parse(host.readText(`${folder}/${MANIFEST}`));
  } catch (error) {
    if (error instanceof HostError) return { damage: `${MANIFEST} can't be read: ${error.detail}` };
    if (error instanceof SyntaxError) return { damage: `${MANIFEST} is not valid JSON` };
    throw error;
  }
  const damage = damageOf(value);
  return damage === undefined ? (value as ReleaseManifest) : { damage };
}

function damageOf(value: unknown): string | undefined {
  if (!isJson(value)) return `${MANIFEST} is not an object`;
  if (value['version'] !== 1)
    return `${MANIFEST} has version ${JSON.stringify(value['version'])}; this ftpc reads version 1`;
  const { files, base, digest, release, kind } = value;
  const complete =
    isJson(files) &&
    Object.values(files).every(
      (file) => isJson(file) && typeof file['bytes'] === 'number' && typeof file['sha256'] === 'string',
    ) &&
    isJson(base) &&
    typeof base['folder'] === 'string' &&
    typeof digest === 'string' &&
    typeof release === 'number' &&
    (kind === 'model' || kind === 'adapter');
  return complete ? undefined : `${MANIFEST} lacks fields of a release`;
}
