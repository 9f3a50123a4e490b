/**
 * A Hub to test against: the API and the redirects of huggingface.co as its own library meets them. Regular files are
 * answered in place with the id of their Git blob as ETag; large ones by a redirect to another origin (a CDN), with
 * `X-Linked-Size` and `X-Linked-ETag`. Paths, headers and error codes: huggingface_hub, `file_download.py`, `hf_api.py`.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRepository {
  readonly kind: 'models' | 'datasets';
  readonly id: string;
  readonly commit: string;
  readonly files: Readonly<Record<string, Buffer>>;
  /** Branches and tags of this commit besides `main`. */
  readonly revisions?: readonly string[];
  readonly gated?: boolean;
  /** The token that opens it. */
  readonly token?: string;
}

/** What goes wrong: called for every request; `true` when it has answered. */
export type Trouble = (request: IncomingMessage, response: ServerResponse, isCdn: boolean) => boolean;

export interface FakeHub {
  readonly endpoint: string;
  repositories: FakeRepository[];
  trouble: Trouble;
  /** `GET /path range` of every request; those of the CDN begin with `cdn `. */
  readonly requests: string[];
  /** Authorization headers that the CDN was sent. */
  readonly leaked: string[];
  close(): Promise<void>;
}

/** Files above this are stored apart, as with Git LFS. */
const LARGE = /\.(?:safetensors|parquet)$|large/;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const blobId = (bytes: Buffer): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

export async function fakeHub(...repositories: FakeRepository[]): Promise<FakeHub> {
  const hub: { -readonly [K in keyof FakeHub]: FakeHub[K] } = {
    endpoint: '',
    repositories,
    trouble: () => false,
    requests: [],
    leaked: [],
    close: async () => {
      for (const server of [home, cdn]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
  const cdn = await listen((request, response) => {
    hub.requests.push(`cdn GET ${request.url} ${request.headers.range ?? ''}`.trim());
    if (request.headers.authorization !== undefined) hub.leaked.push(request.headers.authorization);
    if (hub.trouble(request, response, true)) return;
    const found = hub.repositories
      .flatMap(({ files }) => Object.values(files))
      .find((bytes) => request.url === `/lfs/${sha256(bytes)}?signature=secret`);
    if (found === undefined) response.writeHead(404).end();
    else sendBytes(request, response, found, { etag: '"an-md5"' });
  });
  const home = await listen((request, response) => {
    hub.requests.push(`GET ${request.url} ${request.headers.range ?? ''}`.trim());
    if (hub.trouble(request, response, false)) return;
    answer(hub, request, response, addressOf(cdn));
  });
  hub.endpoint = addressOf(home);
  return hub;
}

const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function refuse(response: ServerResponse, status: number, code: string): ServerResponse {
  return response
    .writeHead(status, { 'x-error-code': code, 'x-error-message': 'refused' })
    .end('{"error":"refused"}');
}

function answer(
  hub: FakeHub,
  request: IncomingMessage,
  response: ServerResponse,
  cdn: string,
): ServerResponse {
  const path = (request.url ?? '').split('?')[0] ?? '';
  const api = /^\/api\/(models|datasets)\/(.+)\/revision\/([^/]+)$/.exec(path);
  const resolved = /^\/(datasets\/)?(.+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
  const id = api?.[2] ?? resolved?.[2];
  const kind = api?.[1] ?? (resolved?.[1] === undefined ? 'models' : 'datasets');
  const revision = decodeURIComponent(api?.[3] ?? resolved?.[3] ?? '');
  const commits = hub.repositories.filter((one) => one.kind === kind && one.id === id);
  // The first is what `main` is now.
  const repository = commits.find(({ commit }) => commit === revision) ?? commits[0];
  // For those who may not see it, the Hub answers 401 where nothing is too.
  if (repository === undefined) return refuse(response, 401, 'RepoNotFound');
  const { token, gated = false } = repository;
  if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
    return refuse(
      response,
      request.headers.authorization === undefined ? 401 : 403,
      gated ? 'GatedRepo' : 'RepoNotFound',
    );
  if (!['main', repository.commit, ...(repository.revisions ?? [])].includes(revision))
    return refuse(response, 404, 'RevisionNotFound');
  if (api !== null) return sendInfo(response, repository);
  return sendFile(request, response, repository, decodeURIComponent(resolved?.[4] ?? ''), cdn);
}

function sendInfo(response: ServerResponse, { id, commit, files }: FakeRepository): ServerResponse {
  const siblings = Object.entries(files).map(([rfilename, bytes]) => ({
    rfilename,
    size: bytes.length,
    blobId: blobId(bytes),
    ...(LARGE.test(rfilename)
      ? { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 } }
      : {}),
  }));
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
  return response.end(JSON.stringify({ _id: '1', id, sha: commit, private: false, gated: false, siblings }));
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { commit, files }: FakeRepository,
  name: string,
  cdn: string,
): ServerResponse {
  const bytes = files[name];
  if (bytes === undefined) return refuse(response, 404, 'EntryNotFound');
  const headers = { 'x-repo-commit': commit, 'accept-ranges': 'bytes' };
  if (!LARGE.test(name))
    return sendBytes(request, response, bytes, { ...headers, etag: `"${blobId(bytes)}"` });
  response.writeHead(302, {
    ...headers,
    'x-linked-size': String(bytes.length),
    'x-linked-etag': `"${sha256(bytes)}"`,
    location: `${cdn}/lfs/${sha256(bytes)}?signature=secret`,
  });
  return response.end();
}

export function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
  headers: Readonly<Record<string, string>>,
): ServerResponse {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (range === null) {
    return response.writeHead(200, { ...headers, 'content-length': bytes.length }).end(bytes);
  }
  const start = Number(range[1]);
  const end = range[2] === '' ? bytes.length - 1 : Math.min(Number(range[2]), bytes.length - 1);
  if (start >= bytes.length) {
    return response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  }
  const part = bytes.subarray(start, end + 1);
  return response
    .writeHead(206, {
      ...headers,
      'content-range': `bytes ${start}-${end}/${bytes.length}`,
      'content-length': part.length,
    })
    .end(part);
}
