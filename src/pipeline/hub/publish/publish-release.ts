/** A release as a commit of a model repository: https://huggingface.co/docs/hub/api */
import { createHash } from 'node:crypto';
import {
  MANIFEST,
  manifestText,
  parseManifest,
  type ReleaseManifest,
} from '../../../compute/packaging/manifest.js';
import { unreachableToPublish } from '../../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import type { HubFile } from '../../../language/ir/program.js';
import type { Repository } from '../../../language/schemas/repositories.js';
import type { ElsewhereRequest, PublishedElsewhere } from '../../deploy/elsewhere.js';
import { type ReleaseFile, textFile } from '../../deploy/release-file.js';
import { accessFrom, type HubAccess, type HubListing } from '../access.js';
import { secretOf } from '../calls.js';
import { askListing, textOf } from '../listing.js';
import { request, retrying, TransientError } from '../request.js';
import { post } from './api.js';
import { commit } from './commit.js';
import { noWrite, offlineTarget, otherContent } from './publish-diagnostics.js';

/** Throws a `UserError` if a release can't be published now. */
export function accessTo(
  { args }: ElsewhereRequest['target'],
  host: Pick<Host, 'env' | 'waiting'>,
  signal?: AbortSignal,
): HubAccess {
  const id = String(args['repository']);
  const secret = secretOf({ call: 'hub_release', args });
  const access = accessFrom(host, secret, signal);
  if (access.offline) throw new UserError(offlineTarget(id));
  if (access.token === undefined) throw new UserError(noWrite(id, 'no token was sent'));
  return { ...access, lost: (detail) => unreachableToPublish(access.endpoint, detail) };
}

/**
 * Publishes a release, unless what is there is the same. What was sent is not sent again, and what was begun goes on, so
 * that a run after a kill continues; a commit is whole or not at all. Throws a `UserError`, or the signal's reason.
 */
export const publishToHub = (host: Host, asked: ElsewhereRequest): Promise<PublishedElsewhere> =>
  publishRelease(accessTo(asked.target, host, asked.signal), host, asked);

/** As {@link publishToHub}, through an access that is there already. */
export async function publishRelease(
  access: HubAccess,
  host: Pick<Host, 'now'>,
  asked: ElsewhereRequest,
): Promise<PublishedElsewhere> {
  const { args } = asked.target;
  const repository: Repository = {
    kind: 'model',
    id: String(args['repository']),
    revision: String(args['branch']),
  };
  /** When the releases of this run were made: one whose answer was lost is known by it. */
  const made: string[] = [];
  let best = 0;
  let progressed = false;
  return retrying(
    access,
    async () => {
      progressed = false;
      const before = await listing(access, repository, args['private'] === true);
      const old = await oldManifest(access, repository, before);
      const changed = asked.files.filter((file) => !isThere(file, before.files));
      const stale = staleFiles(asked.files, old, before.files);
      const url = `${access.endpoint}/${repository.id}`;
      if (changed.length === 0 && stale.length === 0 && old?.digest === asked.digest)
        return {
          number: old.release,
          action: made.includes(old.created) ? 'publish' : 'unchanged',
          digest: asked.digest,
          url,
          version: before.commit,
        };
      const number = (old?.release ?? 0) + 1;
      const created = new Date(host.now()).toISOString();
      const manifest = manifestFile(asked, number, created);
      made.push(created);
      const version = await commit(access, repository, {
        parent: before.commit,
        files: [...changed, manifest],
        deleted: stale,
        summary: `Release ${number}`,
        memory: asked.memory,
        progress: (done, total) => {
          progressed ||= done > best;
          best = Math.max(best, done);
          asked.progress(done, total);
        },
      });
      await check(access, repository, version, [...asked.files, manifest]);
      return { number, action: 'publish', digest: asked.digest, url, version };
    },
    () => progressed,
  );
}

const isMissing = (error: unknown): boolean =>
  error instanceof UserError && ['FTP1407', 'FTP1408'].includes(error.diagnostic.code);

/** What was just made may be unknown to another server of the Hub for a moment. */
function notYet(error: unknown): never {
  throw isMissing(error) ? new TransientError('the new commit is not listed yet', false) : error;
}

/** What the branch has; repository and branch are made where they are not. */
async function listing(access: HubAccess, repository: Repository, isPrivate: boolean): Promise<HubListing> {
  try {
    return await askListing(access, repository);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await create(access, repository.id, isPrivate);
  try {
    return await askListing(access, repository);
  } catch (error) {
    if (!(error instanceof UserError) || error.diagnostic.code !== 'FTP1408') throw error;
  }
  const { id, revision } = repository;
  const path = `/api/models/${id}/branch/${encodeURIComponent(revision)}`;
  await post(access, id, { path, body: '{}', accepts: [409] });
  return askListing(access, repository);
}

async function create(access: HubAccess, id: string, isPrivate: boolean): Promise<void> {
  const [organization, name] = id.includes('/') ? id.split('/') : [undefined, id];
  const body = { type: 'model', name, ...(organization && { organization }), private: isPrivate };
  await post(access, id, { path: '/api/repos/create', body: JSON.stringify(body), accepts: [409] });
}

/** The manifest of the release that is there; `undefined` if another program wrote what is there. */
async function oldManifest(
  access: HubAccess,
  { id }: Repository,
  { commit: at, files }: HubListing,
): Promise<ReleaseManifest | undefined> {
  if (!files.some(({ name }) => name === MANIFEST)) return undefined;
  const answer = await request(access, `/${id}/resolve/${at}/${MANIFEST}`);
  if (!answer.response.ok) {
    answer.close();
    throw new TransientError(`status ${answer.response.status}`, false);
  }
  return parseManifest(await textOf(answer.body(), MANIFEST));
}

/** Of the release that is there, and not of this one. What others put there stays. */
const staleFiles = (
  files: readonly ReleaseFile[],
  old: ReleaseManifest | undefined,
  there: readonly HubFile[],
): readonly string[] => {
  const now = new Set(files.map(({ name }) => name));
  const has = new Set(there.map(({ name }) => name));
  return Object.keys(old?.files ?? {}).filter((name) => !now.has(name) && has.has(name));
};

function manifestFile(
  { files, draft, digest }: ElsewhereRequest,
  release: number,
  created: string,
): ReleaseFile {
  const text = manifestText({
    version: 1,
    release,
    digest,
    created,
    ...draft,
    files: Object.fromEntries(files.map(({ name, sealed }) => [name, sealed])),
  });
  return textFile(MANIFEST, text);
}

/** Whether a repository has a file with this content. */
function isThere(file: ReleaseFile, there: readonly HubFile[]): boolean {
  const found = there.find(({ name }) => name === file.name);
  if (found?.bytes !== file.bytes) return false;
  return found.sha256 === undefined ? found.blob === gitBlob(file) : found.sha256 === file.sha256;
}

/** What Git calls a file's content. */
function gitBlob({ bytes, read }: ReleaseFile): string {
  const hash = createHash('sha1').update(`blob ${bytes}\0`);
  for (const piece of read(0, bytes)) hash.update(piece);
  return hash.digest('hex');
}

/** Throws a `UserError` if a commit has another content than it was given, a `TransientError` if it is not listed yet. */
async function check(
  access: HubAccess,
  repository: Repository,
  version: string,
  files: readonly ReleaseFile[],
): Promise<void> {
  const { files: there } = await askListing(access, { ...repository, revision: version }).catch(notYet);
  const wrong = files.find((file) => !isThere(file, there));
  if (wrong === undefined) return;
  const found = there.find(({ name }) => name === wrong.name);
  const detail =
    found === undefined
      ? 'it is not there'
      : found.bytes === wrong.bytes
        ? 'it has another digest'
        : `it has ${found.bytes} bytes instead of ${wrong.bytes}`;
  throw new UserError(otherContent(repository.id, wrong.name, detail));
}
