/** What a revision is, and which files are in it: one request to the Hub's API, whose answer is not trusted. */
import { badAnswer, hostileName } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { HubFile } from '../../language/ir/types.js';
import { isCommit, isSafeName, type Repository } from '../../language/schemas/repositories.js';
import { request, Transient } from './request.js';
import { retrying } from './retry.js';
import { failOn } from './status.js';
import type { Access, Listing } from './types.js';

/** Bytes of an answer, at most: some 100,000 files. */
const MOST_BYTES = 64_000_000;

/** Throws a `UserError`. */
export async function askListing(access: Access, repository: Repository): Promise<Listing> {
  const { kind, id, revision } = repository;
  const path = `/api/${kind}s/${id}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const text = await retrying(access, async () => {
    const answer = await request(access, path, { accept: 'application/json' });
    if (!answer.response.ok) failOn(answer, repository, access);
    return textOf(answer.body(), path);
  });
  return readListing(text, `${access.endpoint}${path}`);
}

async function textOf(body: AsyncIterable<Uint8Array>, path: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new UserError(badAnswer(path, `it has more than ${MOST_BYTES} bytes`));
    pieces.push(piece);
  }
  if (bytes === 0) throw new Transient('an empty answer', false);
  return Buffer.concat(pieces).toString('utf8');
}

/** Reads an answer, or one that was kept. Throws a `UserError` for one that is none, or that names hostile files. */
export function readListing(text: string, url: string): Listing {
  const bad = (detail: string): UserError => new UserError(badAnswer(url, detail));
  const value = parsed(text);
  if (value === undefined) throw bad('it is not a JSON object');
  const { sha, siblings } = value;
  if (!isCommit(sha)) throw bad('it names no commit');
  if (!Array.isArray(siblings)) throw bad('it lists no files');
  const files = siblings.map((sibling: unknown) => {
    const file = fileOf(sibling);
    if (typeof file === 'string') throw bad(file);
    if (!isSafeName(file.name)) throw new UserError(hostileName(url, file.name));
    return file;
  });
  return { commit: sha, files };
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A sibling as a file, or what is wrong with it. */
function fileOf(sibling: unknown): HubFile | string {
  if (!isObject(sibling) || typeof sibling['rfilename'] !== 'string') return 'it lists a file without a name';
  const { rfilename: name, lfs, size, blobId } = sibling;
  const large = isObject(lfs) ? lfs : undefined;
  const bytes = large?.['size'] ?? size;
  if (!Number.isSafeInteger(bytes) || Number(bytes) < 0) return `it gives no size for \`${name}\``;
  if (large !== undefined)
    return isHex(large['sha256'], 64)
      ? { name, bytes: Number(bytes), sha256: large['sha256'] }
      : `it gives no digest for \`${name}\``;
  return isHex(blobId, 40)
    ? { name, bytes: Number(bytes), blob: blobId }
    : `it gives no digest for \`${name}\``;
}

const isHex = (value: unknown, digits: number): value is string =>
  typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value);

/** A listing in the form in which the Hub gives it: what is kept in the cache. */
export const listingText = ({ commit, files }: Listing): string =>
  `${JSON.stringify({
    sha: commit,
    siblings: files.map(({ name, bytes, sha256, blob }) => ({
      rfilename: name,
      size: bytes,
      ...(sha256 === undefined ? { blobId: blob } : { lfs: { sha256, size: bytes } }),
    })),
  })}\n`;
