/** Answers one request: finds its model, waits for a place, and sends what is computed, whole or as a stream. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { ServedModel } from '../model.js';
import type { Endpoint, Observer } from '../observer.js';
import { ApiError } from '../openai/api-error.js';
import {
  type ChoiceStream,
  type Envelope,
  type Exchange,
  totalUsage,
  usageBody,
} from '../openai/exchange.js';
import type { RoutedModel, Router } from '../router.js';
import type { Admission, Place } from './admission.js';
import { type AnswerRecord, answerRecord } from './answer-record.js';
import { ClientGoneError, type ClientName, failureOf, knownFailure, TooLateError } from './failures.js';
import { type IndexedPiece, mergePieces } from './merge-pieces.js';

export interface AnswerParts {
  readonly router: Router<ServedModel>;
  readonly observer: Observer;
  readonly admission: Admission;
  /** What the model is called; clients name it. */
  readonly model: string;
  /** Until an answer is complete. */
  readonly timeoutSeconds: number;
  /** A bug. */
  failed(error: unknown): void;
}

/** Milliseconds that a client has to read that its time is over. */
const LAST_WORDS = 5000;

const ID_PREFIX: Readonly<Record<Endpoint, string>> = { chat: 'chatcmpl-', completions: 'cmpl-' };

/** `visitor`: who asks, where the request names no user. Never throws: what is wrong is sent. */
export async function answerRequest(
  parts: AnswerParts,
  visitor: string | undefined,
  endpoint: Endpoint,
  read: () => Exchange,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const id = `${ID_PREFIX[endpoint]}${randomUUID().replaceAll('-', '')}`;
  const record = answerRecord(parts.observer, id, endpoint);
  const control = limited(reply, parts.timeoutSeconds);
  reply.header('x-request-id', id);
  reply.raw.once('close', () => record.finish(control.signal.aborted ? control.signal.reason : undefined));
  let named: ClientName | undefined;
  try {
    const exchange = read();
    record.began(exchange);
    if (exchange.model !== parts.model) throw unknownModel(exchange.model, parts.model);
    // an empty name is nobody's
    const user = exchange.user || visitor;
    const routed = await parts.router.route(user, control.signal);
    record.routed(routed.release, user);
    named = { label: routed.model.info.label, name: parts.model };
    const pieces = compute(parts, exchange, routed, control);
    const { number } = routed.release;
    const envelope = {
      id,
      created: Math.floor(Date.now() / 1000),
      model: parts.model,
      fingerprint: `fp_${number}`,
    };
    reply.header('x-ftpc-release', String(number));
    const first = await pieces.next();
    const all = following(first, pieces);
    if (!exchange.stream) return await sendWhole(exchange, envelope, all, { reply, record, routed });
    return sendStream(exchange, envelope, all, { reply, record, routed, named, failed: parts.failed });
  } catch (error) {
    if (knownFailure(error) === undefined) parts.failed(error);
    const failure = failureOf(error, named);
    record.failed(failure);
    return reply.code(failure.status).headers(failure.headers).send(failure.body);
  }
}

/** Aborted when the client goes, or its time is over. */
function limited(reply: FastifyReply, seconds: number): AbortController {
  const control = new AbortController();
  const timer = setTimeout(() => {
    control.abort(new TooLateError(seconds));
    setTimeout(() => reply.raw.destroy(), LAST_WORDS).unref();
  }, 1000 * seconds);
  reply.raw.once('close', () => {
    clearTimeout(timer);
    if (!reply.raw.writableEnded) control.abort(new ClientGoneError());
  });
  return control;
}

/** Takes a place and begins; the place is free when the last answer is computed, however slowly it is read. */
function compute(
  { admission }: AnswerParts,
  exchange: Exchange,
  { model, done }: RoutedModel<ServedModel>,
  control: AbortController,
): AsyncGenerator<IndexedPiece> {
  let place: Place | undefined;
  try {
    exchange.check(model.info);
    place = admission.enter(model, exchange.requests.length);
    const began = performance.now();
    const unread = new AbortController();
    const signal = AbortSignal.any([control.signal, unread.signal]);
    return mergePieces(
      exchange.requests.map((request) => model.complete(request, signal)),
      {
        computed: () => {
          place?.leave(signal.aborted ? undefined : (performance.now() - began) / 1000);
          done();
        },
        left: () => unread.abort(new ClientGoneError()),
      },
    );
  } catch (error) {
    // a model whose process has ended refuses at once: its place is free again
    place?.leave();
    done();
    throw error;
  }
}

async function* following(
  first: IteratorResult<IndexedPiece>,
  rest: AsyncIterator<IndexedPiece>,
): AsyncGenerator<IndexedPiece> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

interface Sending {
  readonly reply: FastifyReply;
  readonly record: AnswerRecord;
  readonly routed: RoutedModel<ServedModel>;
}

/** How a stream that has begun tells what went wrong. */
interface Telling extends Pick<AnswerParts, 'failed'> {
  readonly named: ClientName;
}

async function sendWhole(
  exchange: Exchange,
  envelope: Envelope,
  pieces: AsyncIterable<IndexedPiece>,
  { reply, record, routed }: Sending,
): Promise<FastifyReply> {
  for await (const { index, piece } of pieces) record.take(index, piece);
  return reply.send(exchange.reply(envelope, record.answers(), routed.model.info));
}

function sendStream(
  exchange: Exchange,
  envelope: Envelope,
  pieces: AsyncIterable<IndexedPiece>,
  { reply, record, routed, ...told }: Sending & Telling,
): FastifyReply {
  const choices = exchange.requests.map((_, index) => exchange.choice(index, routed.model.info));
  const events = eventsOf(exchange, envelope, pieces, { choices, record, ...told });
  return reply
    .type('text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .send(Readable.from(events));
}

async function* eventsOf(
  exchange: Exchange,
  envelope: Envelope,
  pieces: AsyncIterable<IndexedPiece>,
  {
    choices,
    record,
    named,
    failed,
  }: { readonly choices: readonly ChoiceStream[]; readonly record: AnswerRecord } & Telling,
): AsyncGenerator<string> {
  const { includeUsage } = exchange;
  const chunk = (choice: object): string =>
    event(exchange.chunk(envelope, [choice], includeUsage ? null : undefined));
  try {
    for (const choice of choices) yield* choice.begin().map(chunk);
    for await (const { index, piece } of pieces) {
      record.take(index, piece);
      const choice = choices[index];
      if (piece.type === 'text') yield* (choice?.text(piece) ?? []).map(chunk);
      else if (piece.type === 'end') yield* (choice?.end(piece.reason) ?? []).map(chunk);
    }
    if (includeUsage) {
      const usage = usageBody(totalUsage(record.answers(), exchange.perPrompt));
      yield event(exchange.chunk(envelope, [], usage));
    }
    yield 'data: [DONE]\n\n';
  } catch (error) {
    if (knownFailure(error) === undefined) failed(error);
    const failure = failureOf(error, named);
    record.failed(failure);
    yield event(failure.body);
  }
}

const event = (body: object): string => `data: ${JSON.stringify(body)}\n\n`;

const unknownModel = (name: string, known: string): ApiError =>
  new ApiError(
    404,
    `the model ${JSON.stringify(name.slice(0, 100))} does not exist: this server has \`${known}\``,
    {
      param: 'model',
      code: 'model_not_found',
    },
  );
