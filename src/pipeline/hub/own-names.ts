/** How ftpc calls what it keeps in the cache, which is shared with other programs: nothing else in it is ever removed. */
import type { OwnForm } from '../../language/host/own-files.js';

/** Lists of the files of a commit, and of their seals. */
export const OF_COMMIT: OwnForm = { name: /^[0-9a-f]{40}\.json$/, kinds: ['file'] };

/** Content, by its digest. */
export const BLOB: OwnForm = { name: /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/, kinds: ['file'] };

/** What has come of it so far; the group says who fetches it. */
export const HALF: OwnForm = {
  name: /^[0-9a-f]{40}(?:[0-9a-f]{24})?\.ftpc-([^,]+,\d+,\d*)$/,
  kinds: ['file'],
};

/** A file of a commit leads to its content, or is a copy of it. */
export const IN_SNAPSHOT: OwnForm = { name: /^/, kinds: ['link', 'file'] };

/** Which commit a branch or a tag is. */
export const REF: OwnForm = { name: /^/, kinds: ['file'] };
