/** Requests that write: what is sent, and what a refusal means. */
import { UserError } from '../../../language/diagnostics/types.js';
import { isJson } from '../../../language/host/json.js';
import type { HubAccess } from '../access.js';
import { textOf } from '../listing.js';
import { type Answer, oneLine, PASSING, request, type Sending, TransientError, waitOf } from '../request.js';
import { noSpace, noWrite, refusedWrite } from './publish-diagnostics.js';

interface Post {
  readonly path: string;
  readonly body: string;
  readonly type?: string;
  /** What a status means that is no failure here. */
  readonly accepts?: readonly number[];
}

/** Sends a text; the answer as text. Throws a {@link TransientError} or a `UserError`. */
export async function post(
  access: HubAccess,
  id: string,
  { path, body, type, accepts = [] }: Post,
): Promise<string> {
  const bytes = Buffer.from(body, 'utf8');
  const answer = await request(
    access,
    path,
    { accept: 'application/json', 'content-type': type ?? 'application/json' },
    { method: 'POST', bytes: bytes.length, body: () => [bytes] },
  );
  const { status, ok } = answer.response;
  if (!ok && !accepts.includes(status)) await refused(answer, access, id);
  return textOrNone(answer, path);
}

/** Answers without a body are answers, too. */
async function textOrNone(answer: Answer, path: string): Promise<string> {
  try {
    return await textOf(answer.body(), path);
  } catch (error) {
    if (error instanceof TransientError && error.detail === 'an empty answer') return '';
    throw error;
  }
}

/** Sends bytes to a storage; its answer's headers. */
export async function put(
  access: HubAccess,
  id: string,
  url: string,
  sending: Sending,
  headers = {},
): Promise<Headers> {
  const answer = await request(access, url, headers, sending);
  // such an address is good for a while only; the next try asks for another
  if (answer.response.status === 403) {
    answer.close();
    throw new TransientError('the storage of the Hub refused', false);
  }
  if (!answer.response.ok) await refused(answer, access, id);
  answer.close();
  return answer.response.headers;
}

/** Throws what an answer means that is no success. */
async function refused(answer: Answer, access: HubAccess, id: string): Promise<never> {
  const { status, headers } = answer.response;
  if (PASSING.has(status)) {
    answer.close();
    throw new TransientError(`status ${status}`, false, waitOf(headers));
  }
  const said = saidBy(await textOrNone(answer, answer.url), headers, access.token);
  // someone else has committed meanwhile: what is there now is looked at again
  if (status === 409 || status === 412) throw new TransientError(said ?? `status ${status}`, false);
  if (status === 402 || status === 413 || /quota|storage limit|limit reached/i.test(said ?? ''))
    throw new UserError(noSpace(id, said));
  if (status === 401 || status === 403) throw new UserError(noWrite(id, said));
  throw new UserError(refusedWrite(id, said ?? `status ${status}`));
}

/** The sentence of a server, in one line and without the token. */
function saidBy(text: string, headers: Headers, token: string | undefined): string | undefined {
  let said: unknown = headers.get('x-error-message');
  try {
    const value: unknown = JSON.parse(text);
    if (isJson(value)) said = value['error'] ?? value['message'] ?? said;
  } catch {
    // no JSON: the header, if there is one
  }
  if (typeof said !== 'string' || said.trim() === '') return undefined;
  return withoutToken(said, token);
}

/** What a server says, in one line: it may repeat what it was sent. */
export const withoutToken = (said: string, token: string | undefined): string =>
  oneLine(token === undefined ? said : said.replaceAll(token, '…'));
