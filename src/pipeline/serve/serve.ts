/** `ftpc serve`: models in their processes, a router between them, and the HTTP server in front. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createTrial } from 'node:net';
import { basename, dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { ServingInfo } from '../../compute/serving/types.js';
import type { Disk } from '../../language/host/disk.js';
import type { Host } from '../../language/host/host.js';
import { CURRENT, listReleases, type Release, releaseName } from '../deploy/releases.js';
import { fixedRouter } from './fixed-router.js';
import { admission } from './http/admission.js';
import type { ApiKey } from './http/keys.js';
import { addressUrl, isLoopback, type ListenAddress, ownNames } from './http/listen-address.js';
import type { Rate } from './http/rate.js';
import { createServer } from './http/server.js';
import { type ModelReports, type ServedModel, startModel } from './model.js';
import type { ModelSource } from './model-messages.js';
import { createObserver, type TrafficObserver } from './monitoring/create-observer.js';
import { registerMonitoring } from './monitoring/routes.js';
import { evaluatedAnswers, followedPair, releaseLoads } from './monitoring/serving-state.js';
import type { Observer, RequestEnd } from './observer.js';
import type { Redact } from './redact.js';
import { createRouter } from './release-router.js';
import type { Router } from './router.js';
import { cannotListen, openToAll } from './serve-diagnostics.js';
import { tryModel } from './try-model.js';

export interface ServeOptions {
  readonly host: Host;
  readonly disk: Disk;
  /** `folder`: a model, an adapter, a GGUF file, a release, or a folder of releases. */
  readonly source: Omit<ModelSource, 'cwd' | 'withheld'>;
  /** What clients call the model. */
  readonly name: string;
  readonly address: ListenAddress;
  readonly keys: readonly ApiKey[];
  readonly allowAnyone: boolean;
  readonly rate?: Rate;
  readonly origins: readonly string[];
  readonly bodyBytes: number;
  /** Answers that wait, at most. */
  readonly queue: number;
  readonly timeoutSeconds: number;
  /** Of requests that do not say. */
  readonly temperature: number;
  readonly maxTokens?: number;
  /** Prompts and answers are written into the journal, after this has taken out of them what nobody is to read. */
  readonly written?: Redact;
  readonly reports: ServeReports;
}

/** Told what happens. */
interface ServeReports extends ModelReports {
  /** Of releases, in a sentence. */
  traffic(text: string): void;
  answered(end: RequestEnd): void;
  bug(error: unknown): void;
}

export interface Serving {
  readonly url: string;
  /** Of the model that answers first. */
  readonly info: ServingInfo;
  /** Takes no more requests, and finishes those that it has; what takes longer than so many seconds is cut off. */
  drain(seconds: number): Promise<void>;
  /** Cuts everything off. */
  stop(): void;
}

/** Opens what is to be served, and listens. Throws a `UserError` where either is not possible. */
export async function serve(options: ServeOptions, signal: AbortSignal): Promise<Serving> {
  const { address, keys, allowAnyone } = options;
  if (!isLoopback(address) && keys.length === 0 && !allowAnyone) throw openToAll(address.host);
  await checkAddress(address);
  const { router, info } = await openRouter(options, signal);
  const traffic = observerOf(options, router);
  const app = createServer({
    ...options,
    router,
    observer: telling(traffic, options.reports),
    model: options.name,
    admission: admission(options.queue),
    hosts: keys.length === 0 ? ownNames(address) : undefined,
    created: Math.floor(options.host.now() / 1000),
    defaults: { ...options, seed: () => randomInt(2 ** 31) },
    failed: options.reports.bug,
  });
  registerMonitoring(app, { observer: traffic, needsKey: keys.length > 0 });
  const close = async (): Promise<void> => {
    await router.close();
    await traffic.close();
  };
  try {
    return { url: await listen(app, address), info, ...endings(app, close) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What is counted of requests: next to releases, or, of anything else, in the folder that ftpc has where it runs. */
function observerOf(options: ServeOptions, router: Router<ServedModel>): TrafficObserver {
  const { host, disk, source, name, written, reports } = options;
  const { folder } = source;
  const isFollowed = isReleases(options);
  return createObserver({
    model: name,
    folder: isFollowed
      ? join(folder, 'traffic')
      : join(host.cwd, '.ftp', 'serve', name.replace(/[^\w.-]/g, '_')),
    now: host.now,
    report: reports.traffic,
    loads: () => releaseLoads(router),
    evaluated: evaluatedAnswers({ host }, (release) =>
      isFollowed ? join(folder, releaseName(release)) : folder,
    ),
    pair: isFollowed ? followedPair({ host, disk }, folder) : () => undefined,
    ...(written && { written }),
  });
}

const telling = (observer: TrafficObserver, { answered }: ServeReports): Observer => ({
  started: (start) => observer.started(start),
  finished: (end) => {
    observer.finished(end);
    answered(end);
  },
  feedback: (feedback) => observer.feedback(feedback),
  close: () => observer.close(),
});

/** Before a model is loaded, which may take long. Throws a `UserError`. */
async function checkAddress(address: ListenAddress): Promise<void> {
  const trial = createTrial();
  try {
    trial.listen(address);
    await once(trial, 'listening');
  } catch (error) {
    throw cannotListen(address.host, address.port, error) ?? error;
  } finally {
    trial.close();
  }
}

async function listen(app: FastifyInstance, address: ListenAddress): Promise<string> {
  try {
    await app.listen(address);
  } catch (error) {
    throw cannotListen(address.host, address.port, error) ?? error;
  }
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  return addressUrl({ ...address, port });
}

function endings(app: FastifyInstance, close: () => Promise<void>): Pick<Serving, 'drain' | 'stop'> {
  const stop = (): void => app.server.closeAllConnections();
  return {
    stop,
    drain: async (seconds) => {
      const late = setTimeout(stop, 1000 * seconds);
      await app.close();
      clearTimeout(late);
      await close();
    },
  };
}

interface Opened {
  readonly router: Router<ServedModel>;
  readonly info: ServingInfo;
}

/** Releases of a folder are followed; anything else stays what it is. */
async function openRouter(options: ServeOptions, signal: AbortSignal): Promise<Opened> {
  const { host, disk, source, reports } = options;
  const access = { host, disk };
  const withheld = options.keys.map(({ name }) => name);
  const start = async (folder: string, prompt?: string, stop = signal): Promise<ServedModel> => {
    const model = await startModel({ ...source, cwd: host.cwd, folder, withheld }, reports, stop);
    await tryModel(model, stop, prompt);
    return model;
  };
  if (!isReleases(options)) {
    const model = await start(source.folder);
    return { router: fixedRouter(model, source.folder, host.now), info: model.info };
  }
  let info: ServingInfo | undefined;
  const router = await createRouter<ServedModel>({
    access,
    folder: source.folder,
    start: async ({ path, manifest }: Release, stop) => {
      const model = await start(path, manifest?.smoke?.prompt, AbortSignal.any([stop, signal]));
      info ??= model.info;
      return model;
    },
    memory: host.machine().memoryBytes,
    report: reports.traffic,
  });
  if (info === undefined) throw new Error('a router opens a model');
  return { router, info };
}

const isReleases = ({ host, disk, source: { folder } }: ServeOptions): boolean =>
  listReleases({ host, disk }, folder).length > 0 || disk.readLink(`${folder}/${CURRENT}`) !== undefined;

/** What clients call a model that has no other name: its folder's, or that of the folder of releases. */
export function defaultName(folder: string): string {
  const name = basename(folder).replace(/\.gguf$/i, '');
  return /^\d{4,}$|^current$|^canary$/.test(name) ? basename(dirname(folder)) : name;
}
