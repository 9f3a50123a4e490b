/**
 * A Hub to publish to: repositories, commits, and a storage for large files at another origin, as huggingface_hub meets them
 * (`hf_api.py`, `_commit_api.py`, `lfs.py`). `test/accelerate/hub/` holds it against that library.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Commit {
  readonly id: string;
  readonly title: string;
  readonly files: ReadonlyMap<string, StoredFile>;
}

interface StoredFile {
  readonly bytes: Buffer;
  readonly isLarge: boolean;
}

export interface WritableRepository {
  readonly isPrivate: boolean;
  /** Oldest first, per branch. */
  readonly branches: Map<string, Commit[]>;
}

export interface Call {
  /** `POST /api/…`; those of the storage begin with `storage `. */
  readonly name: string;
  readonly bytes: number;
  readonly authorization: string | undefined;
}

/** What goes wrong; `true` when it has answered. */
export type Trouble = (call: Call, response: ServerResponse) => boolean;

export interface WritableHub {
  readonly endpoint: string;
  readonly storage: string;
  readonly repositories: Map<string, WritableRepository>;
  readonly calls: Call[];
  trouble: Trouble;
  /** Files of so many bytes or more are uploaded in parts of that size. */
  part: number;
  /** The last commit of `main`. */
  head(id: string): Commit;
  close(): Promise<void>;
}

export const TOKEN = 'hf_writing';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const blobId = (bytes: Buffer): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

const LARGE = /\.(?:safetensors|gguf|bin)$/;

export async function writableHub(): Promise<WritableHub> {
  const objects = new Map<string, Buffer>();
  const parts = new Map<string, Map<number, Buffer>>();
  const state = { trouble: (() => false) as Trouble, part: Number.POSITIVE_INFINITY };
  const calls: Call[] = [];
  const repositories = new Map<string, WritableRepository>();
  const serve =
    (prefix: string, answer: (request: Request) => void) =>
    async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const pieces: Buffer[] = [];
      try {
        for await (const piece of request) pieces.push(piece as Buffer);
      } catch {
        return; // the client has gone
      }
      const body = Buffer.concat(pieces);
      const name = `${prefix}${request.method} ${request.url}`;
      const call = { name, bytes: body.length, authorization: request.headers.authorization };
      calls.push(call);
      if (state.trouble(call, response)) return;
      answer({ request, response, body, path: (request.url ?? '').split('?')[0] ?? '', name });
    };
  const storage = await listen(serve('storage ', (asked) => store(asked, objects, parts)));
  const home = await listen(
    serve('', (asked) =>
      answerHub(asked, { repositories, objects, parts, storage: addressOf(storage), part: () => state.part }),
    ),
  );
  return {
    endpoint: addressOf(home),
    storage: addressOf(storage),
    repositories,
    calls,
    get trouble() {
      return state.trouble;
    },
    set trouble(trouble) {
      state.trouble = trouble;
    },
    get part() {
      return state.part;
    },
    set part(part) {
      state.part = part;
    },
    head(id) {
      const last = repositories.get(id)?.branches.get('main')?.at(-1);
      if (last === undefined) throw new Error(`no repository ${id}`);
      return last;
    },
    close: async () => {
      for (const server of [home, storage]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

interface Request {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly path: string;
  readonly name: string;
}

const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Server> {
  const server = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

export const refuse = (response: ServerResponse, status: number, code: string, said = 'refused'): true => {
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'x-error-code': code,
      'x-error-message': said.replace(/[^ -~]/g, ''),
    })
    .end(JSON.stringify({ error: said }));
  return true;
};

const json = (response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
};

/** `PUT /OID?signature` and `PUT /OID/PART?signature`; a token has no place here. */
function store(
  { request, response, body, path }: Request,
  objects: Map<string, Buffer>,
  parts: Map<string, Map<number, Buffer>>,
): void {
  const [, oid = '', part] = path.split('/');
  if (request.method === 'GET') {
    const found = objects.get(oid);
    if (found === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': found.length, etag: '"md5"' }).end(found);
    return;
  }
  if (request.headers.authorization !== undefined)
    return void response.writeHead(400).end('only one way to sign');
  if (Number(request.headers['content-length']) !== body.length) return void response.writeHead(411).end();
  if (part === undefined) objects.set(oid, body);
  else {
    const known = parts.get(oid) ?? new Map<number, Buffer>();
    parts.set(oid, known.set(Number(part), body));
  }
  response.writeHead(200, { etag: `"${createHash('md5').update(body).digest('hex')}"` }).end();
}

interface HubState {
  readonly repositories: Map<string, WritableRepository>;
  readonly objects: Map<string, Buffer>;
  readonly parts: Map<string, Map<number, Buffer>>;
  readonly storage: string;
  part(): number;
}

type Answer = (asked: Request, state: HubState, match: readonly string[]) => unknown;

const parsed = <T>({ body }: Request): T => JSON.parse(body.toString('utf8')) as T;

/** By method and path; the first that matches answers. */
const ROUTES: readonly (readonly [RegExp, Answer])[] = [
  [/^GET \/api\/whoami-v2$/, ({ response }) => json(response, { type: 'user', name: 'org', auth: {} })],
  [/^POST \/api\/repos\/create$/, create],
  [/^GET \/api\/models\/([^/]+\/[^/]+)$/, (asked, state, [id = '']) => info(asked, state, [id, 'main'])],
  [/^GET \/api\/models\/([^/]+\/[^/]+)\/revision\/([^/]+)$/, info],
  [/^GET \/api\/models\/([^/]+\/[^/]+)\/tree\/([^/]+)/, tree],
  [/^POST \/api\/models\/([^/]+\/[^/]+)\/branch\/([^/]+)$/, branch],
  [/^POST \/api\/models\/([^/]+\/[^/]+)\/preupload\/([^/]+)$/, preupload],
  [/^POST \/([^/]+\/[^/]+)\.git\/info\/lfs\/objects\/batch$/, batch],
  [/^POST \/complete\/([0-9a-f]{64})$/, complete],
  [/^POST \/verify$/, verify],
  [/^POST \/api\/models\/([^/]+\/[^/]+)\/commit\/([^/]+)$/, commit],
  [/^(?:GET|HEAD) \/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/, resolve],
];

function answerHub(asked: Request, state: HubState): void {
  const { request, response, path } = asked;
  const isSigned = /^\/complete\//.test(path);
  if (!isSigned && request.headers.authorization !== `Bearer ${TOKEN}`)
    return void refuse(response, 401, '', 'Invalid credentials in Authorization header');
  for (const [pattern, answer] of ROUTES) {
    const match = pattern.exec(`${request.method} ${path}`);
    if (match !== null) return void answer(asked, state, match.slice(1).map(decodeURIComponent));
  }
  refuse(response, 404, 'EntryNotFound', `no route ${request.method} ${path}`);
}

function create(asked: Request, { repositories }: HubState): void {
  const {
    name,
    organization = 'me',
    private: isPrivate = false,
    type = 'model',
  } = parsed<{
    name: string;
    organization?: string;
    private?: boolean;
    type?: string;
  }>(asked);
  const id = `${organization}/${name}`;
  if (type !== 'model') return void refuse(asked.response, 400, '', 'only models here');
  if (repositories.has(id))
    return void refuse(asked.response, 409, '', 'You already created this model repo');
  const first = makeCommit(
    'initial commit',
    new Map([['.gitattributes', small('*.safetensors filter=lfs\n')]]),
    '',
  );
  repositories.set(id, { isPrivate, branches: new Map([['main', [first]]]) });
  json(asked.response, { url: `${homeOf(asked).endpoint}/${id}`, name: id, id: '1' });
}

const small = (text: string): StoredFile => ({ bytes: Buffer.from(text), isLarge: false });

export function makeCommit(title: string, files: ReadonlyMap<string, StoredFile>, parent: string): Commit {
  const names = [...files].map(([name, { bytes }]) => `${name} ${sha256(bytes)}`);
  const id = createHash('sha1')
    .update([title, parent, ...names].join('\n'))
    .digest('hex');
  return { id, title, files };
}

/** The commit of a branch or by its id; answers itself where there is none. */
function found(
  { response }: Request,
  { repositories }: HubState,
  id: string,
  revision: string,
): Commit | undefined {
  const repository = repositories.get(id);
  if (repository === undefined) return void refuse(response, 404, 'RepoNotFound', 'Repository not found');
  const all = [...repository.branches.values()].flat();
  const at = repository.branches.get(revision)?.at(-1) ?? all.find((each) => each.id === revision);
  if (at === undefined) refuse(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
  return at;
}

function info(asked: Request, state: HubState, [id = '', revision = '']: readonly string[]): void {
  const at = found(asked, state, id, revision);
  if (at === undefined) return;
  const siblings = [...at.files].map(([rfilename, file]) => ({
    rfilename,
    size: file.bytes.length,
    blobId: blobId(file.bytes),
    ...(file.isLarge && { lfs: { sha256: sha256(file.bytes), size: file.bytes.length, pointerSize: 134 } }),
  }));
  json(asked.response, {
    _id: '1',
    id,
    modelId: id,
    sha: at.id,
    private: true,
    gated: false,
    tags: [],
    downloads: 0,
    siblings,
  });
}

function tree(asked: Request, state: HubState, [id = '', revision = '']: readonly string[]): void {
  const at = found(asked, state, id, revision);
  if (at === undefined) return;
  json(
    asked.response,
    [...at.files].map(([path, { bytes, isLarge }]) => ({
      type: 'file',
      path,
      size: bytes.length,
      oid: blobId(bytes),
      ...(isLarge && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 } }),
    })),
  );
}

function branch(asked: Request, state: HubState, [id = '', name = '']: readonly string[]): void {
  const main = state.repositories.get(id)?.branches.get('main');
  if (main === undefined) return void refuse(asked.response, 404, 'RepoNotFound');
  state.repositories.get(id)?.branches.set(name, [...main]);
  json(asked.response, {});
}

function preupload(asked: Request, state: HubState, [id = '', revision = '']: readonly string[]): void {
  if (found(asked, state, id, revision) === undefined) return;
  const { files } = parsed<{ files: { path: string; sample: string; size: number }[] }>(asked);
  json(asked.response, {
    files: files.map(({ path }) => ({
      path,
      uploadMode: LARGE.test(path) ? 'lfs' : 'regular',
      shouldIgnore: false,
      oid: null,
    })),
  });
}

function batch(asked: Request, state: HubState): void {
  const { endpoint } = homeOf(asked);
  const {
    operation,
    objects,
    hash_algo: algorithm,
  } = parsed<{
    operation: string;
    hash_algo: string;
    objects: { oid: string; size: number }[];
  }>(asked);
  const isLfs = asked.request.headers['content-type']?.startsWith('application/vnd.git-lfs+json') === true;
  if (operation !== 'upload' || algorithm !== 'sha256' || !isLfs) return void refuse(asked.response, 422, '');
  json(asked.response, {
    transfer: 'basic',
    objects: objects.map(({ oid, size }) => {
      if (state.objects.has(oid)) return { oid, size };
      const verify = { href: `${endpoint}/verify` };
      if (size < state.part())
        return { oid, size, actions: { upload: { href: `${state.storage}/${oid}?signed` }, verify } };
      const count = Math.ceil(size / state.part());
      const parts = Array.from({ length: count }, (_, index) => [
        String(index + 1),
        `${state.storage}/${oid}/${index + 1}?signed`,
      ]);
      const header = { chunk_size: String(state.part()), ...Object.fromEntries(parts) };
      return { oid, size, actions: { upload: { href: `${endpoint}/complete/${oid}`, header }, verify } };
    }),
  });
}

const homeOf = ({ request }: Request) => ({ endpoint: `http://${request.headers.host}` });

function complete(asked: Request, state: HubState, [oid = '']: readonly string[]): void {
  const { parts } = parsed<{ parts: { partNumber: number; etag: string }[] }>(asked);
  const known = state.parts.get(oid) ?? new Map<number, Buffer>();
  const bytes = parts.map(({ partNumber, etag }) => {
    const part = known.get(partNumber) ?? Buffer.alloc(0);
    return etag === `"${createHash('md5').update(part).digest('hex')}"` ? part : undefined;
  });
  if (bytes.includes(undefined)) return void refuse(asked.response, 400, '', 'a part has another receipt');
  state.objects.set(oid, Buffer.concat(bytes.flatMap((part) => part ?? [])));
  json(asked.response, {});
}

function verify(asked: Request, state: HubState): void {
  const { oid, size } = parsed<{ oid: string; size: number }>(asked);
  const bytes = state.objects.get(oid);
  if (bytes === undefined || bytes.length !== size || sha256(bytes) !== oid) {
    state.objects.delete(oid);
    return void refuse(asked.response, 422, '', `the object is not ${oid}`);
  }
  json(asked.response, {});
}

interface Line {
  readonly key: 'header' | 'file' | 'lfsFile' | 'deletedFile';
  readonly value: {
    readonly summary?: string;
    readonly parentCommit?: string;
    readonly path: string;
    readonly content?: string;
    readonly oid?: string;
  };
}

function commit(asked: Request, state: HubState, [id = '', name = '']: readonly string[]): void {
  const before = found(asked, state, id, name);
  if (before === undefined) return;
  const lines = asked.body
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const [header, ...changes] = lines;
  const parent = header?.value.parentCommit;
  if (parent !== undefined && parent !== before.id)
    return void refuse(asked.response, 412, '', 'A commit has happened since. Please refresh and try again.');
  const files = new Map(before.files);
  for (const { key, value } of changes) {
    if (key === 'deletedFile') files.delete(value.path);
    else if (key === 'file')
      files.set(value.path, { bytes: Buffer.from(value.content ?? '', 'base64'), isLarge: false });
    else {
      const bytes = state.objects.get(value.oid ?? '');
      if (bytes === undefined) return void refuse(asked.response, 400, '', `${value.path} was not uploaded`);
      files.set(value.path, { bytes, isLarge: true });
    }
  }
  const made = makeCommit(header?.value.summary ?? '', files, before.id);
  state.repositories.get(id)?.branches.get(name)?.push(made);
  const { endpoint } = homeOf(asked);
  json(asked.response, {
    success: true,
    commitOid: made.id,
    commitUrl: `${endpoint}/${id}/commit/${made.id}`,
    hookOutput: '',
  });
}

function resolve(
  asked: Request,
  state: HubState,
  [id = '', revision = '', name = '']: readonly string[],
): void {
  const at = found(asked, state, id, revision);
  const file = at?.files.get(name);
  if (at === undefined) return;
  if (file === undefined) return void refuse(asked.response, 404, 'EntryNotFound');
  const { bytes, isLarge } = file;
  const common = { 'x-repo-commit': at.id, 'accept-ranges': 'bytes' };
  if (!isLarge) {
    asked.response.writeHead(200, { ...common, etag: `"${blobId(bytes)}"`, 'content-length': bytes.length });
    asked.response.end(asked.request.method === 'HEAD' ? undefined : bytes);
    return;
  }
  const oid = sha256(bytes);
  const linked = { 'x-linked-size': String(bytes.length), 'x-linked-etag': `"${oid}"`, etag: `"${oid}"` };
  asked.response.writeHead(302, { ...common, ...linked, location: `${state.storage}/${oid}?signed` }).end();
}
