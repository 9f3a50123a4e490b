/** The routes of monitoring: `/metrics`, `/feedback` and `/dashboard`. Who may ask is the server's affair. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import * as v from 'valibot';
import { checkJson, JsonFault, that } from '../../../language/host/json.js';
import { DASHBOARD_HEADERS, dashboardPage } from '../dashboard/page.js';
import { dashboardView } from '../dashboard/view.js';
import type { FeedbackResult } from '../observer.js';
import type { TrafficObserver } from './create-observer.js';

/** Characters of a reason. */
const REASON = 2000;

const FEEDBACK = v.strictObject({
  id: v.pipe(v.string(), v.nonEmpty(), v.maxLength(200)),
  thumbs: v.picklist(['up', 'down']),
  reason: v.optional(
    that(
      (value): value is string => typeof value === 'string' && value.length <= REASON,
      `a text of at most ${REASON} characters`,
    ),
  ),
});

const HTML = 'text/html; charset=utf-8';

/** Of a feedback: it is small. */
const BODY = 16_384;

interface MonitoringOptions {
  readonly observer: TrafficObserver;
  /** Whether requests need a key: the page then has no figures, and asks for it. */
  readonly needsKey?: boolean;
  /** For which figures and pages are the same; default: {@link FRESH}. */
  readonly seconds?: number;
}

const FRESH = 1;

/** Adds routes that need a key wherever the server wants one, but for the page itself, whose script asks for it. */
export function registerMonitoring(
  app: FastifyInstance,
  { observer, needsKey, seconds = FRESH }: MonitoringOptions,
): void {
  const metrics = kept(() => observer.metrics(), seconds);
  const data = kept(() => observer.dashboard(), seconds);
  const view = kept(() => dashboardView(data()), seconds);
  const page = kept(() => dashboardPage(data().model, needsKey === true ? undefined : view()), seconds);
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await metrics();
    return reply.type(contentType).send(text);
  });
  // an opinion that changes is a line of the journal each time
  app.post('/feedback', { bodyLimit: BODY, config: { counted: true } }, (request, reply) =>
    takeFeedback(observer, request.body, reply),
  );
  app.get('/dashboard/data', async () => data());
  app.get('/dashboard/view', async (_request, reply) =>
    reply.type(HTML).headers(DASHBOARD_HEADERS).send(view().text),
  );
  app.get('/dashboard', { config: { open: true } }, async (_request, reply) =>
    reply.type(HTML).headers(DASHBOARD_HEADERS).send(page()),
  );
}

/** What is computed once in so many seconds at most, however often it is asked for. */
function kept<T>(compute: () => T, seconds: number): () => T {
  let last: { readonly value: T; readonly at: number } | undefined;
  return () => {
    const at = performance.now();
    if (last === undefined || at - last.at >= 1000 * seconds) last = { value: compute(), at };
    return last.value;
  };
}

/** Twice the same is once: a client may repeat what it is not sure of. */
async function takeFeedback(
  observer: TrafficObserver,
  body: unknown,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const feedback = checkJson(FEEDBACK, body);
  if (feedback instanceof JsonFault)
    return refuse(
      reply,
      400,
      `the feedback is not \`{ id, thumbs: "up" | "down", reason? }\`: ${feedback.detail}`,
    );
  const result: FeedbackResult = observer.feedback(feedback);
  if (result === 'unknown_id')
    return refuse(reply, 404, 'no answer of this server has this id, or it was too long ago', 'unknown_id');
  return reply.send({ object: 'feedback', id: feedback.id, thumbs: feedback.thumbs, result });
}

/** In the shape of OpenAI's errors, as all others. */
const refuse = (reply: FastifyReply, status: number, message: string, code: string | null = null) =>
  reply.code(status).send({ error: { message, type: 'invalid_request_error', param: null, code } });
