import { type Host, HostError } from '../../../language/host/host.js';
import { JsonFault, parseJson } from '../../../language/host/json.js';
import { RELEASE_MANIFEST, type ReleaseManifest } from './types.js';

export const MANIFEST = 'manifest.json';

/** A release's manifest, or what is wrong with it in a sentence. */
export function readManifest(host: Host, folder: string): ReleaseManifest | { readonly damage: string } {
  let text: string;
  try {
    text = host.readText(`${folder}/${MANIFEST}`);
  } catch (error) {
    if (error instanceof HostError) return { damage: `${MANIFEST} can't be read: ${error.detail}` };
    throw error;
  }
  const manifest = parseJson(RELEASE_MANIFEST, text);
  return manifest instanceof JsonFault ? { damage: `${MANIFEST}: ${manifest.detail}` } : manifest;
}
