/** Large files: Git LFS's batch API, in one piece or in parts. https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md */
import * as v from 'valibot';
import { badAnswer } from '../../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { count, JsonFault, parseJson, record, sha256 } from '../../../language/host/json.js';
import type { UploadMemory } from '../../deploy/elsewhere.js';
import type { ReleaseFile } from '../../deploy/release-file.js';
import type { HubAccess } from '../access.js';
import { TransientError } from '../request.js';
import { post, put, withoutToken } from './api.js';
import { refusedWrite } from './publish-diagnostics.js';

const LFS = 'application/vnd.git-lfs+json';

const ACTION = v.object({ href: v.string(), header: v.optional(record(v.union([v.string(), v.number()]))) });
const BATCH = v.object({
  objects: v.array(
    v.object({
      oid: sha256,
      size: count,
      /** None for what is there already. */
      actions: v.nullish(v.object({ upload: v.optional(ACTION), verify: v.optional(ACTION) })),
      error: v.nullish(v.object({ message: v.string() })),
    }),
  ),
});
type Actions = NonNullable<v.InferOutput<typeof BATCH>['objects'][number]['actions']>;

/** An upload in parts that has begun: its addresses are good for hours, and serve for this file alone. */
const BEGUN = v.object({
  actions: v.object({ upload: ACTION, verify: v.optional(ACTION) }),
  etags: v.array(v.string()),
});

interface Upload {
  readonly id: string;
  readonly branch: string;
  readonly memory: UploadMemory;
  /** Bytes of files that were sent, or were there. */
  sent(bytes: number): void;
}

/** Uploads what the Hub has not yet. Throws a {@link TransientError} or a `UserError`. */
export async function uploadLarge(
  access: HubAccess,
  files: readonly ReleaseFile[],
  upload: Upload,
): Promise<void> {
  const waiting = files.filter((file) => upload.memory.get(file.sha256) !== undefined);
  for (const file of waiting) await resume(access, file, upload);
  const others = files.filter((file) => !waiting.includes(file));
  const known = await askBatch(access, others, upload);
  for (const file of others) {
    const actions = known.get(file.sha256);
    if (actions?.upload === undefined) upload.sent(file.bytes);
    else await send(access, file, actions, upload);
  }
}

async function askBatch(
  access: HubAccess,
  files: readonly ReleaseFile[],
  { id, branch }: Upload,
): Promise<ReadonlyMap<string, Actions | undefined>> {
  const path = `/${id}.git/info/lfs/objects/batch`;
  const found = new Map<string, Actions | undefined>();
  for (let start = 0; start < files.length; start += 100) {
    const objects = files.slice(start, start + 100).map(({ sha256: oid, bytes: size }) => ({ oid, size }));
    const ref = { name: branch };
    const body = {
      operation: 'upload',
      transfers: ['basic', 'multipart'],
      objects,
      hash_algo: 'sha256',
      ref,
    };
    const text = await post(access, id, { path, type: LFS, body: JSON.stringify(body) });
    const answer = parseJson(BATCH, text);
    if (answer instanceof JsonFault) throw new UserError(badAnswer(path, answer.detail));
    for (const { oid, actions, error } of answer.objects) {
      if (error != null) throw new UserError(refusedWrite(id, withoutToken(error.message, access.token)));
      found.set(oid, actions ?? undefined);
    }
    const left = objects.find(({ oid }) => !found.has(oid));
    if (left !== undefined) throw new UserError(badAnswer(path, `it says nothing of ${left.oid}`));
  }
  return found;
}

/** Goes on with an upload whose addresses are known; where they are good no more, it begins again. */
async function resume(access: HubAccess, file: ReleaseFile, upload: Upload): Promise<void> {
  const begun = parseJson(BEGUN, upload.memory.get(file.sha256) ?? '');
  try {
    if (!(begun instanceof JsonFault)) return await sendParts(access, file, begun, upload);
  } catch (error) {
    if (!(error instanceof TransientError) && !(error instanceof UserError)) throw error;
    // a server that asks for a pause has kept what it took
    if (error instanceof TransientError && (error.unreachable || error.after > 0)) throw error;
  }
  upload.memory.drop(file.sha256);
  await uploadLarge(access, [file], upload);
}

async function send(access: HubAccess, file: ReleaseFile, actions: Actions, upload: Upload): Promise<void> {
  const { upload: to, verify } = actions;
  if (to === undefined) return;
  if (to.header?.['chunk_size'] !== undefined)
    return sendParts(access, file, { actions: { upload: to, verify }, etags: [] }, upload);
  const headers = Object.fromEntries(
    Object.entries(to.header ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  await put(
    access,
    upload.id,
    addressOf(to.href, access),
    { method: 'PUT', bytes: file.bytes, body: () => file.read(0, file.bytes) },
    headers,
  );
  upload.sent(file.bytes);
  await verified(access, file, verify, upload);
}

async function sendParts(
  access: HubAccess,
  file: ReleaseFile,
  { actions, etags }: v.InferOutput<typeof BEGUN>,
  upload: Upload,
): Promise<void> {
  const { href, header = {} } = actions.upload;
  const size = Number(header['chunk_size']);
  const parts = Object.keys(header)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => addressOf(String(header[name]), access));
  if (!Number.isInteger(size) || size < 1 || parts.length !== Math.ceil(file.bytes / size))
    throw new UserError(badAnswer(shown(href), 'the parts of an upload are not those of the file'));
  const done = [...etags];
  upload.sent(Math.min(done.length * size, file.bytes));
  for (let part = done.length; part < parts.length; part++) {
    const [from, to] = [part * size, Math.min((part + 1) * size, file.bytes)];
    const sending = { method: 'PUT', bytes: to - from, body: () => file.read(from, to) } as const;
    const etag = (await put(access, upload.id, parts[part] ?? '', sending)).get('etag');
    if (etag === null || etag === '') throw new TransientError('a part was taken without a receipt', false);
    done.push(etag);
    await upload.memory.set(file.sha256, JSON.stringify({ actions, etags: done }));
    upload.sent(to - from);
  }
  const receipts = done.map((etag, index) => ({ partNumber: index + 1, etag }));
  const body = JSON.stringify({ oid: file.sha256, parts: receipts });
  await post(access, upload.id, { path: addressOf(href, access), type: LFS, body });
  await verified(access, file, actions.verify, upload);
  upload.memory.drop(file.sha256);
}

async function verified(
  access: HubAccess,
  { sha256: oid, bytes: size }: ReleaseFile,
  verify: v.InferOutput<typeof ACTION> | undefined,
  { id }: Upload,
): Promise<void> {
  if (verify === undefined) return;
  await post(access, id, {
    path: addressOf(verify.href, access),
    type: LFS,
    body: JSON.stringify({ oid, size }),
  });
}

/** An address of HTTP, as a whole; encrypted if the Hub is. */
function addressOf(href: string, { endpoint }: HubAccess): string {
  const protocol = URL.canParse(href) ? new URL(href).protocol : undefined;
  if (protocol !== 'https:' && (protocol !== 'http:' || endpoint.startsWith('https:')))
    throw new UserError(badAnswer(shown(href), 'it is no address to upload to'));
  return href;
}

/** For people: what is after `?` lets whoever has it write. */
const shown = (href: string): string =>
  href
    .replace(/[?#].*/s, '')
    .replace(/\/\/[^/]*@/, '//')
    .slice(0, 100);
