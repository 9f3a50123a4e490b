/** What the files of a snapshot in the cache of a hub held when they were compared with what the hub lists. */
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';
import { hubFileDamaged } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import { JsonFault, record, version } from '../../language/host/json.js';
import { SEALED_FILE, type SealedFiles } from '../../language/host/sealed-file.js';
import { checkedText, parseChecked } from '../../language/host/self-check.js';
import type { SealedFolder } from '../../language/host/verified-host.js';

const SEALS = v.object({ version: version(1), files: record(SEALED_FILE) });

/** `models--org--name/ftpc-sealed/COMMIT.json`; other programs leave it alone. `snapshot`: `models--org--name/snapshots/COMMIT`. */
export const sealsPath = (snapshot: string): string =>
  join(dirname(dirname(snapshot)), 'ftpc-sealed', `${basename(snapshot)}.json`);

export const sealsText = (files: SealedFiles): string => checkedText({ version: 1, files });

/** None where there are none, or they are damaged. */
export function readSeals(host: Host, snapshot: string): SealedFiles {
  try {
    const seals = parseChecked(SEALS, host.readText(sealsPath(snapshot)));
    return seals instanceof JsonFault ? {} : seals.files;
  } catch (error) {
    if (error instanceof HostError) return {};
    throw error;
  }
}

/** The snapshot of which this is the folder; files that nobody has compared are read as they are. */
export function snapshotAt(host: Host, folder: string): SealedFolder | undefined {
  if (!/^[0-9a-f]{40}$/.test(basename(folder)) || basename(dirname(folder)) !== 'snapshots') return undefined;
  const files = readSeals(host, folder);
  const repository = basename(dirname(dirname(folder)))
    .split('--')
    .slice(1)
    .join('/');
  return {
    path: folder,
    files,
    isOpen: (name) => !Object.hasOwn(files, name),
    damaged: (what) => new UserError(hubFileDamaged(repository, what)),
  };
}
