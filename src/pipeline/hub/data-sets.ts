/** A data set's files of rows. Small ones are fetched at once: they have no SHA-256 until then. */
import { noUsableFiles } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { Call, PinnedRepository } from '../../language/ir/program.js';
import type { Repository } from '../../language/schemas/repositories.js';
import { filesOfSplit, isReadable, isUnread } from '../stages/hub-repositories.js';
import { fetchFile } from './download.js';
import { matches } from './pattern.js';
import { pinOf } from './resolve.js';
import type { HubAccess, HubListing } from './types.js';

/** The files that a call reads. Throws a `UserError` if there are none. */
export function filesOfCall(
  repository: Repository,
  { files }: HubListing,
  { args }: Call,
): readonly string[] {
  const names = files.map(({ name }) => name).sort();
  const pattern = typeof args['files'] === 'string' ? args['files'] : undefined;
  const split = typeof args['split'] === 'string' ? args['split'] : undefined;
  const asked = pattern === undefined ? undefined : names.filter((name) => matches(name, pattern));
  const found = asked?.filter(isReadable) ?? filesOfSplit(names, split);
  if (found.length > 0) return found;
  const others = (asked ?? names).filter(isUnread);
  throw new UserError(
    noUsableFiles(
      repository,
      pattern !== undefined
        ? `no file \`${pattern}\` that can be read`
        : split === undefined
          ? 'no file of rows that can be read'
          : `no file of the split \`${split}\` that can be read`,
      others.length === 0
        ? []
        : [
            `it has ${others
              .slice(0, 5)
              .map((name) => `\`${name}\``)
              .join(', ')}`,
          ],
    ),
  );
}

/** `listing`: the files of rows that are read. */
export async function pinDataSet(
  host: Host,
  access: HubAccess,
  repository: Repository,
  listing: HubListing,
  secret: string | undefined,
): Promise<PinnedRepository> {
  const pinned = pinOf(repository, listing, listing.files, secret);
  for (const file of listing.files)
    if (file.sha256 === undefined) await fetchFile(host, access, pinned, file);
  return pinned;
}
