/** Chat completions of a server that answers in OpenAI's form: https://platform.openai.com/docs/api-reference/chat */
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { Json } from '../../language/host/json.js';
import type { Call } from '../../language/ir/program.js';
import { isSecret } from '../../language/ir/values.js';
import type { Span } from '../../language/source/span.js';
import type { HubAccess } from '../hub/access.js';
import { textOf } from '../hub/listing.js';
import { oneLine, PASSING, request, retrying, TransientError, waitOf } from '../hub/request.js';
import { jsonIn, orEmpty, posting } from '../ollama/ollama-access.js';
import type { Endpoint, EndpointRequest } from '../stages/endpoint.js';
import { endpointAway, endpointRefused } from './endpoint-diagnostics.js';

/** Milliseconds before each further try: limits of requests are often per minute. */
const PAUSES = [1_000, 3_000, 10_000, 30_000, 60_000];

/** Times of the silence that is waited for, after which an answer that still comes is given up. */
const LONGEST_ANSWER = 10;

interface OpenOptions {
  readonly at: Span;
  readonly signal: AbortSignal;
  readonly pauses?: readonly number[];
}

/** Throws a `UserError` where the server can't be reached, or lists several models and none is named. */
export async function openEndpoint(
  host: Pick<Host, 'env' | 'waiting'>,
  { args }: Call,
  { at, signal, pauses = PAUSES }: OpenOptions,
): Promise<Endpoint> {
  const url = String(args['url'])
    .replace(/\/+$/, '')
    .replace(/\/chat\/completions$/, '');
  const token = isSecret(args['key']) ? host.env(args['key'].env)?.trim() : undefined;
  const hidden = (text: string): string => (token ? text.replaceAll(token, '***') : text);
  const access: HubAccess = {
    endpoint: url,
    offline: false,
    patience: Number(args['timeout']) * 1000,
    pauses,
    lost: (detail) => endpointAway(url, hidden(detail), at),
    late: (wait, detail) => endpointAway(url, hidden(`${detail}: it asks to be asked again in ${wait}`), at),
    signal,
    ...(token && { token }),
    ...(host.waiting && { waiting: host.waiting }),
  };
  const server = { access, at, hidden };
  const named = args['model'];
  const model = typeof named === 'string' ? named : await onlyModel(server);
  let manner = 0;
  let isSettled = false;
  return {
    async ask(asked) {
      for (;;) {
        const tried = manner;
        const body = MANNERS[tried]?.(asked, model, Number(args['max_tokens']));
        const { status, text } = await send(server, '/chat/completions', body);
        if (status < 300) {
          isSettled = true;
          return hidden(replyIn(server, text));
        }
        // what asks in the same way is answered: this text is too long, or filtered out
        if (isSettled && tried === manner && ABOUT_THE_TEXT.has(status)) return said(server, status, text);
        // servers differ in what they take: what one does not is left out from here on
        if (![400, 404, 422].includes(status) || tried + 1 >= MANNERS.length)
          throw new UserError(endpointRefused(url, said(server, status, text), at));
        manner = Math.max(manner, tried + 1);
      }
    },
  };
}

interface Server {
  readonly access: HubAccess;
  readonly at: Span;
  /** Without the key. */
  hidden(text: string): string;
}

/** Statuses for a request whose texts a server does not take. */
const ABOUT_THE_TEXT: ReadonlySet<number> = new Set([400, 413, 422]);

type Manner = (request: EndpointRequest, model: string, mostTokens: number) => Json;

const form = ({ schema }: EndpointRequest): Json => ({
  response_format: { type: 'json_schema', json_schema: { name: 'verdict', strict: true, schema } },
});

/** From what says most to what every server takes; the last is for models that choose their temperature themselves. */
const MANNERS: readonly Manner[] = [
  (asked, model, most) => ({ ...plain(asked, model), temperature: 0, max_tokens: most, ...form(asked) }),
  (asked, model, most) => ({ ...plain(asked, model), temperature: 0, max_tokens: most }),
  (asked, model, most) => ({ ...plain(asked, model), max_completion_tokens: most }),
];

const plain = ({ messages }: EndpointRequest, model: string): Json => ({
  model,
  messages: messages.map(({ role, content }) => ({ role, content })),
});

/** Asks, again where a fault may pass. Throws a `UserError` where it does not. */
const send = (
  { access }: Server,
  path: string,
  body: Json | undefined,
): Promise<{ readonly status: number; readonly text: string }> =>
  retrying(access, async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await request(access, path, headers, body && posting(body));
    const { status, headers: given } = answer.response;
    if (PASSING.has(status)) {
      answer.close();
      throw new TransientError(`status ${status}`, false, waitOf(given));
    }
    const said = textOf(ending(answer.body(), LONGEST_ANSWER * access.patience), path);
    // a refusal needs no words
    const text = await (status < 300 ? said : orEmpty(said));
    // what was cut off, or what a proxy writes, may be whole the next time
    if (status < 300 && jsonIn(text) === undefined)
      throw new TransientError('an answer that is no JSON', false);
    return { status, text };
  });

/** A server that says a little from time to time, without an end, is never silent. */
async function* ending(body: AsyncIterable<Uint8Array>, limit: number): AsyncIterable<Uint8Array> {
  const end = performance.now() + limit;
  for await (const piece of body) {
    yield piece;
    if (performance.now() > end)
      throw new TransientError(`an answer that does not end within ${limit / 1000} s`, false, 0, true);
  }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** The text of the first choice, in one piece or in parts, or why it declines; `''` where there is none, which is no verdict. */
function replyIn({ access, at }: Server, text: string): string {
  const { choices } = jsonIn(text) ?? {};
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  if (!isObject(first) || !isObject(first['message']))
    throw new UserError(endpointRefused(access.endpoint, 'its answer has no `choices`', at));
  const { content, refusal } = first['message'];
  if (Array.isArray(content)) return content.map(textIn).join('');
  return [content, refusal].find((text): text is string => typeof text === 'string') ?? '';
}

const textIn = (part: unknown): string =>
  isObject(part) && typeof part['text'] === 'string' ? part['text'] : '';

function said({ hidden }: Server, status: number, text: string): string {
  const error = jsonIn(text)?.['error'];
  const message = isObject(error) ? error['message'] : error;
  return `status ${status}${typeof message === 'string' ? `: ${oneLine(hidden(message))}` : ''}`;
}

async function onlyModel(server: Server): Promise<string> {
  const { access, at } = server;
  const { status, text } = await send(server, '/models', undefined);
  const data = jsonIn(text)?.['data'];
  const names = (Array.isArray(data) ? data : []).flatMap((one: unknown) =>
    isObject(one) && typeof one['id'] === 'string' ? [one['id']] : [],
  );
  const [only] = names;
  if (status < 300 && only !== undefined && names.length === 1) return only;
  const why =
    status < 300
      ? `it lists ${names.length === 0 ? 'no model' : `${names.length} models, such as ${names.slice(0, 3).join(', ')}`}: name one with \`model:\``
      : said(server, status, text);
  throw new UserError(endpointRefused(access.endpoint, why, at));
}
