/** What a revision is, and which files are in it: one request to the Hub's API, whose answer is not trusted. */
import * as v from 'valibot';
import { badAnswer, hostileName } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import { count, hex, JsonFault, parseJson, sha256 } from '../../language/host/json.js';
import type { HubFile } from '../../language/ir/program.js';
import { isSafeName, type Repository } from '../../language/schemas/repositories.js';
import type { HubAccess, HubListing } from './access.js';
import { failOn, request, retrying, TransientError } from './request.js';

/** Bytes of an answer, at most: about 100,000 files. */
const MOST_BYTES = 64_000_000;

/** Throws a `UserError`. */
export async function askListing(access: HubAccess, repository: Repository): Promise<HubListing> {
  const { kind, id, revision } = repository;
  const path = `/api/${kind}s/${id}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const text = await retrying(access, async () => {
    const answer = await request(access, path, { accept: 'application/json' });
    if (!answer.response.ok) failOn(answer, repository, access);
    return textOf(answer.body(), path);
  });
  return readListing(text, `${access.endpoint}${path}`);
}

export async function textOf(body: AsyncIterable<Uint8Array>, path: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new UserError(badAnswer(path, `it has more than ${MOST_BYTES} bytes`));
    pieces.push(piece);
  }
  if (bytes === 0) throw new TransientError('an empty answer', false);
  return Buffer.concat(pieces).toString('utf8');
}

/** A file of a repository; a large one has its digest and its size in `lfs`. */
const SIBLING = v.object({
  rfilename: v.string(),
  size: v.nullish(count),
  blobId: v.nullish(v.string()),
  lfs: v.nullish(v.object({ size: v.nullish(count), sha256 })),
});
const ANSWER = v.object({ sha: hex(40, 'a commit'), siblings: v.array(SIBLING) });
const BLOB = hex(40, 'a digest of Git');

/** Reads an answer, or one that was kept. Throws a `UserError` for an invalid one, or one that names hostile files. */
export function readListing(text: string, url: string): HubListing {
  const bad = (detail: string): UserError => new UserError(badAnswer(url, detail));
  const answer = parseJson(ANSWER, text);
  if (answer instanceof JsonFault)
    throw bad(answer.value === undefined ? 'it is not a JSON object' : answer.detail);
  const files = answer.siblings.map(({ rfilename: name, size, blobId, lfs }): HubFile => {
    if (!isSafeName(name)) throw new UserError(hostileName(url, name));
    const bytes = lfs?.size ?? size;
    if (bytes == null) throw bad(`it gives no size for \`${name}\``);
    if (lfs) return { name, bytes, sha256: lfs.sha256 };
    if (v.is(BLOB, blobId)) return { name, bytes, blob: blobId };
    throw bad(`it gives no digest for \`${name}\``);
  });
  return { commit: answer.sha, files };
}

/** A listing in the form in which the Hub gives it: what is kept in the cache. */
export const listingText = ({ commit, files }: HubListing): string =>
  `${JSON.stringify({
    sha: commit,
    siblings: files.map(({ name, bytes, sha256, blob }) => ({
      rfilename: name,
      size: bytes,
      ...(sha256 === undefined ? { blobId: blob } : { lfs: { sha256, size: bytes } }),
    })),
  })}\n`;
