/** The HTTP server: who may ask, what may be asked, and where it goes. It never computes. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from 'fastify';
import { ApiError } from '../openai/api-error.js';
import { chatExchange } from '../openai/chat.js';
import { completionExchange } from '../openai/completions.js';
import type { RequestDefaults } from '../openai/sampling-fields.js';
import { tokenize } from '../openai/tokenize.js';
import { type AnswerParts, answerRequest } from './answer-request.js';
import { pacedServer } from './connections.js';
import { crossOrigin } from './cross-origin.js';
import { failureOf, knownFailure } from './failures.js';
import { jsonBody } from './json-body.js';
import { type ApiKey, clientOf } from './keys.js';
import { isOwnAddress } from './listen-address.js';
import type { Rate, RateLimit } from './rate.js';
import { rateLimit } from './rate.js';
import { routeMethods } from './route-methods.js';

export interface ServerOptions extends AnswerParts {
  readonly keys: readonly ApiKey[];
  /** Of each key, or each address where there are none. */
  readonly rate?: Rate;
  /** Web pages of these origins may ask. */
  readonly origins: readonly string[];
  /** Names by which this machine may be called where no key is needed: a page of another name that leads here may not ask. */
  readonly hosts?: readonly string[];
  readonly bodyBytes: number;
  readonly defaults: RequestDefaults;
  /** Seconds since the epoch. */
  readonly created: number;
  /** Default: {@link WAITS}. */
  readonly waits?: typeof WAITS;
  /** Connections, at most. */
  readonly connections?: number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Needs no key. */
    open?: boolean;
    /** Counts against the rate. */
    counted?: boolean;
  }
  interface FastifyRequest {
    /** The name of the key, else the address: whose requests are counted together. */
    client: string;
    /** Whose requests go to one release, where they name no user: nobody's, if all come through this machine. */
    visitor: string | undefined;
  }
}

/** Milliseconds: headers and bodies that take longer are given up, and connections that are idle for longer closed. */
const WAITS = { headers: 10_000, request: 60_000, idle: 15_000, look: 2000 };

const MOST_HEADERS = 500;

/** A server that does not listen yet; more routes may be added. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { headers, request, idle, look } = options.waits ?? WAITS;
  const http = {
    ...{ headersTimeout: headers, requestTimeout: request, keepAliveTimeout: idle },
    ...{ connectionsCheckingInterval: look, maxHeaderSize: 16_384, requireHostHeader: false },
  };
  const app = fastify({
    bodyLimit: options.bodyBytes,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 500 },
    clientErrorHandler: badHttp,
    frameworkErrors: (error, _request, reply: FastifyReply) => sendError(error, reply, options),
    serverFactory: (listener) => pacedServer(http, listener, options.connections),
  });
  // headers that Node leaves out are those that tell what to do
  app.server.maxHeadersCount = 0;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, jsonBody(typeof body === 'string' ? Buffer.from(body) : body));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  });
  app.setErrorHandler((error, _request, reply) => sendError(error, reply, options));
  guard(app, options, routeMethods(app));
  closeWhenAnswered(app);
  addRoutes(app, options);
  return app;
}

/** What is looked at before a route: headers, origin, host, key and rate. */
function guard(
  app: FastifyInstance,
  { keys, rate, origins, hosts }: ServerOptions,
  methodsOf: MethodsOf,
): void {
  const limit: RateLimit | undefined = rate === undefined ? undefined : rateLimit(rate);
  app.decorateRequest('client', '');
  app.decorateRequest('visitor', undefined);
  app.addHook('onRequest', async (request, reply) => {
    checkHeaders(request.raw);
    if (hosts !== undefined && !hosts.includes(hostOf(request)))
      throw new ApiError(403, 'this server is asked by another name than its own', {
        type: 'permission_error',
        code: 'wrong_host',
      });
    const allowed = crossOrigin(origins, request.headers);
    reply.headers(allowed);
    if (request.method === 'OPTIONS' && Object.keys(allowed).length > 0) return reply.code(204).send();
    // before the body is read: whatever it is, it does not matter where there is nothing to ask
    if (request.is404) throw noRoute(request, methodsOf);
    checkCoding(request.headers['content-encoding']);
    const { open, counted } = request.routeOptions.config;
    if (open === true) return;
    const key = clientOf(keys, request.headers.authorization);
    request.client = key ?? request.ip;
    request.visitor = key ?? (isOwnAddress(request.ip) ? undefined : request.ip);
    if (counted === true && limit !== undefined) reply.headers(limit.count(request.client));
  });
}

/** A server that ends does not wait for connections whose answers are complete: clients hold them for the next request. */
function closeWhenAnswered(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onResponse', async () => {
    if (isClosing) setImmediate(() => app.server.closeIdleConnections());
  });
}

/** Without the port. */
const hostOf = ({ headers }: FastifyRequest): string =>
  (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();

function addRoutes(app: FastifyInstance, options: ServerOptions): void {
  const { router, model, created, defaults } = options;
  const counted = { config: { counted: true } };
  app.post('/v1/chat/completions', counted, (request, reply) =>
    answerRequest(options, request.visitor, 'chat', () => chatExchange(request.body, defaults), reply),
  );
  app.post('/v1/completions', counted, (request, reply) =>
    answerRequest(
      options,
      request.visitor,
      'completions',
      () => completionExchange(request.body, defaults),
      reply,
    ),
  );
  app.post('/tokenize', counted, (request) => tokenize(router, model, request.visitor, request.body));
  const card = { id: model, object: 'model', created, owned_by: 'ftpc' };
  app.get('/v1/models', async () => ({ object: 'list', data: [card] }));
  app.get<{ Params: { id: string } }>('/v1/models/:id', async ({ params: { id } }) => {
    if (id === model) return card;
    throw new ApiError(404, `the model ${JSON.stringify(id)} does not exist: this server has \`${model}\``, {
      param: 'model',
      code: 'model_not_found',
    });
  });
  app.get('/health', { config: { open: true } }, async () => ({ status: 'ok' }));
  app.get('/ready', { config: { open: true } }, async (_request, reply) => {
    const ready = router.ready();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready' });
  });
}

type MethodsOf = ReturnType<typeof routeMethods>;

/** As RFC 9112 (3.2) has them. Throws an `ApiError` (400). */
function checkHeaders({ rawHeaders, httpVersion }: IncomingMessage): void {
  const count = rawHeaders.length / 2;
  if (count > MOST_HEADERS)
    throw badHeaders(`${count} headers are too many: at most ${MOST_HEADERS} are read`);
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0'))
    throw badHeaders(`the request has ${hosts === 0 ? 'no header' : `${hosts} headers`} \`host\`: send one`);
}

const badHeaders = (message: string): ApiError => new ApiError(400, message, { code: 'bad_headers' });

/** Bodies are read as they are sent. Throws an `ApiError` (415) for compressed ones. */
function checkCoding(coding: string | undefined): void {
  if (coding === undefined || /^(?:identity)?$/i.test(coding.trim())) return;
  throw new ApiError(
    415,
    `a body with \`content-encoding: ${coding.slice(0, 100)}\` is not read: send it as it is`,
    {
      code: 'unsupported_media_type',
      acceptEncoding: 'identity',
    },
  );
}

function noRoute({ method, url }: FastifyRequest, methodsOf: MethodsOf): ApiError {
  const [path = ''] = url.split('?', 1);
  const allow = methodsOf(path);
  if (allow.length === 0)
    return new ApiError(404, `unknown request URL: ${method} ${url.slice(0, 200)}`, { code: 'unknown_url' });
  const words = `${method} is not allowed for ${path.slice(0, 200)}: use ${allow.join(' or ')}`;
  return new ApiError(405, words, { code: 'method_not_allowed', allow });
}

/** What fastify itself refuses, by its code. */
const FRAMEWORK: Readonly<Record<string, readonly [message: string, code: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['the body of the request is too large', 'body_too_large'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'the body must be sent as `content-type: application/json`',
    'unsupported_media_type',
  ],
};

function sendError(error: unknown, reply: FastifyReply, { failed, bodyBytes }: ServerOptions): FastifyReply {
  const { code = '', statusCode = 500 } = error as Partial<FastifyError>;
  const known = Object.hasOwn(FRAMEWORK, code) ? FRAMEWORK[code] : undefined;
  const most = reply.request.routeOptions.bodyLimit ?? bodyBytes;
  const more = code === 'FST_ERR_CTP_BODY_TOO_LARGE' ? `: at most ${most} bytes are read` : '';
  const failure =
    known !== undefined
      ? new ApiError(statusCode, `${known[0]}${more}`, { code: known[1] })
      : knownFailure(error) === undefined && statusCode >= 400 && statusCode < 500 && error instanceof Error
        ? new ApiError(statusCode, error.message, { code: 'bad_request' })
        : failureOf(error);
  if (failure.status === 500) failed(error);
  return reply.code(failure.status).headers(failure.headers).send(failure.body);
}

/** Status and words for what is no HTTP. */
const BAD_HTTP: Readonly<Record<string, readonly [status: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not come in time'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too large'],
};

function badHttp(
  error: Error & { readonly code?: string },
  socket: Socket | IncomingMessage['socket'],
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, message] = BAD_HTTP[error.code ?? ''] ?? ['400 Bad Request', 'this is no HTTP request'];
  const body = JSON.stringify(new ApiError(Number(status.slice(0, 3)), message).body);
  if (!socket.writable) return void socket.destroy();
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  // who sends without reading must not hold it open
  setTimeout(() => socket.destroy(), 1000).unref();
}
