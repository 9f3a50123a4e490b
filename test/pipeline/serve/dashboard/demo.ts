/** A server with ten minutes of made-up traffic, for the tests of the dashboard and its pictures. */
import { type FastifyInstance, fastify } from 'fastify';
import {
  createObserver,
  type TrafficObserver,
} from '../../../../src/pipeline/serve/monitoring/create-observer.js';
import { registerMonitoring } from '../../../../src/pipeline/serve/monitoring/routes.js';
import { randoms } from '../request-lines.js';

export interface Demo {
  readonly app: FastifyInstance;
  readonly observer: TrafficObserver;
  /** One more request of the current release. */
  readonly ask: (id: string) => void;
  readonly close: () => Promise<void>;
}

const NOW = Date.UTC(2026, 10, 29, 12, 0, 0);
const MINUTE = 60_000;

/** `key`: every request but that for the page needs it. */
export function demo(key?: string): Demo {
  let now = NOW - 26 * 60 * MINUTE;
  const random = randoms(5);
  const observer = createObserver({
    ...{ model: 'legal', now: () => now, report: () => {}, random },
    loads: () => [
      { release: 3, role: 'current', share: 0.8, running: 4, waiting: 1 },
      { release: 4, role: 'canary', share: 0.2, running: 1, waiting: 0 },
    ],
    pair: () => ({ current: 3, canary: 4, since: NOW - 3 * 60 * MINUTE }),
  });
  const request = (id: string, number: number, seconds: number, status = 200): void =>
    observer.finished({
      ...{ id, endpoint: 'chat', streamed: true, user: `user-${Math.floor(random() * 900)}-${number}` },
      release: { number, role: number === 4 ? 'canary' : 'current' },
      ...(status === 200
        ? { status, reason: 'stop' }
        : { status, reason: 'error', errorCode: 'server_error' }),
      ...{ promptTokens: 180, cachedTokens: 120, answerTokens: Math.round(60 * seconds) },
      ...{ queueSeconds: 0.02, firstTokenSeconds: 0.2 * seconds, seconds },
      answers: [
        random() < 0.03
          ? 'I am sorry, but I cannot say.'
          : `Yes. Clause ${Math.floor(random() * 9)} allows it.`,
      ],
    });
  const spread = (median: number): number => median * Math.exp(1.4 * (random() + random() - 1));
  for (let index = 0; index < 400; index++) request(`past-${index}`, 2, spread(1.6));
  now = NOW - 2 * 60 * MINUTE;
  for (let index = 0; now < NOW; index++) {
    const isCanary = random() < 0.2;
    const wave = 1 + 0.35 * Math.sin(now / MINUTE / 1.5);
    request(
      `id-${index}`,
      isCanary ? 4 : 3,
      spread((isCanary ? 0.9 : 1.2) * wave),
      random() < 0.004 ? 500 : 200,
    );
    if (random() < 0.25)
      observer.feedback({ id: `id-${index}`, thumbs: random() < (isCanary ? 0.86 : 0.74) ? 'up' : 'down' });
    now += now < NOW - 10 * MINUTE ? 4000 : 700 * random() + 200;
  }
  now = NOW;
  const app = fastify();
  app.addHook('onRequest', async (asked, reply) => {
    if (key === undefined || asked.url === '/dashboard') return;
    if (asked.headers.authorization !== `Bearer ${key}`) return reply.code(401).send({ error: {} });
  });
  registerMonitoring(app, { observer, needsKey: key !== undefined });
  return {
    ...{ app, observer },
    ask: (id) => request(id, 3, 1),
    close: async () => {
      await app.close();
      await observer.close();
    },
  };
}
