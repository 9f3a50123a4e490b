/** What the options of `ftpc serve` ask for. */
import { resolve } from 'node:path';
import type { ApiKey } from '../../../pipeline/serve/http/keys.js';
import type { Rate } from '../../../pipeline/serve/http/rate.js';
import type { Redact } from '../../../pipeline/serve/redact.js';
import type { ServeOptions } from '../../../pipeline/serve/serve.js';
import { checkAsking, templateOption } from '../asked-as.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, UsageError } from '../command.js';
import { threadsOf, wholeNumber } from './machine-options.js';

export const SERVE_DEFAULTS = {
  ...{ host: '127.0.0.1', port: 8000, queue: 64, timeout: 600, drain: 30, bodyMiB: 4, temperature: 1 },
} as const;

/** Characters of a key, at least: what is shorter can be guessed. */
const SHORTEST_KEY = 16;
const MOST_PORT = 65_535;
const MOST_MIB = 1024;

interface ServeSettings extends Omit<ServeOptions, 'host' | 'disk' | 'reports'> {
  readonly drainSeconds: number;
  readonly redact: Redact;
}

/** Throws a `UsageError`, and a `UserError` for keys that are not there. */
export async function serveSettings(args: Arguments, context: CliContext): Promise<ServeSettings> {
  const { defaultName } = await import('../../../pipeline/serve/serve.js');
  const { redaction } = await import('../../../pipeline/serve/redact.js');
  const folder = resolve(context.host.cwd, args.positional('model'));
  checkAsking(args);
  return {
    source: {
      folder,
      ...withoutUndefined({
        base: args.text('base'),
        storage: args.flag('4bit') ? ('nf4' as const) : undefined,
        template: templateOption(args, context),
        system: args.flag('no-system') ? (false as const) : args.text('system'),
        engine: ENGINES.find((name) => name === args.text('engine')),
        threads: threadsOf(args),
        contextTokens: wholeNumber(args, 'max-model-len'),
        rows: wholeNumber(args, 'max-num-seqs'),
      }),
    },
    name: args.text('served-model-name') ?? defaultName(folder),
    address: { host: args.text('host') ?? SERVE_DEFAULTS.host, port: portOf(args) },
    keys: await keysOf(args, context),
    allowAnyone: args.flag('allow-anyone'),
    ...withoutUndefined({ rate: rateOf(args), maxTokens: wholeNumber(args, 'max-tokens') }),
    origins: args.texts('cors'),
    bodyBytes: (wholeNumber(args, 'max-body', MOST_MIB) ?? SERVE_DEFAULTS.bodyMiB) * 2 ** 20,
    queue: atLeast(0, args, 'max-queue') ?? SERVE_DEFAULTS.queue,
    timeoutSeconds: wholeNumber(args, 'timeout', DAY) ?? SERVE_DEFAULTS.timeout,
    drainSeconds: atLeast(0, args, 'drain') ?? SERVE_DEFAULTS.drain,
    temperature: temperatureOf(args),
    redact: redaction(args.texts('redact').map(patternOf)),
  };
}

export const ENGINES = ['auto', 'embedded', 'llama.cpp'] as const;

/** Seconds; timers take no more than a few weeks. */
const DAY = 86_400;

const withoutUndefined = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof T]?: Exclude<T[K], undefined>;
  };

function portOf(args: Arguments): number {
  const port = args.number('port') ?? SERVE_DEFAULTS.port;
  if (Number.isInteger(port) && port >= 0 && port <= MOST_PORT) return port;
  throw new UsageError(`\`--port\` needs a whole number from 0 to ${MOST_PORT}`);
}

function atLeast(least: number, args: Arguments, name: string): number | undefined {
  const value = args.number(name);
  if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= 1e6)) return value;
  throw new UsageError(`\`--${name}\` needs a whole number from ${least} to 1000000`);
}

function temperatureOf(args: Arguments): number {
  const value = args.number('temperature') ?? SERVE_DEFAULTS.temperature;
  if (value >= 0 && value <= 2) return value;
  throw new UsageError('`--temperature` must be a number from 0 to 2');
}

async function keysOf(args: Arguments, { host }: CliContext): Promise<readonly ApiKey[]> {
  const names = args.texts('key-from');
  if (names.length === 0) return [];
  const { apiKey } = await import('../../../pipeline/serve/http/keys.js');
  const { keyNotSet, keyTooShort } = await import('../../../pipeline/serve/serve-diagnostics.js');
  return names.map((name) => {
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw new UsageError(
        '`--key-from` takes the name of an environment variable, and not the key itself, which every program of this machine could read',
      );
    const key = (host.env(name) ?? '').trim();
    if (key === '') throw keyNotSet(name);
    if (key.length < SHORTEST_KEY) throw keyTooShort(name, SHORTEST_KEY);
    return apiKey(name, key);
  });
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, sec: 1, m: 60, min: 60, h: 3600, hour: 3600 };

function rateOf(args: Arguments): Rate | undefined {
  const text = args.text('rate');
  if (text === undefined) return undefined;
  const [, count, unit = ''] = /^(\d{1,9})\/([a-z]+)$/.exec(text) ?? [];
  const seconds = Object.hasOwn(SECONDS, unit) ? SECONDS[unit] : undefined;
  if (seconds !== undefined && Number(count) >= 1) return { requests: Number(count), seconds };
  throw new UsageError(`\`--rate\` needs requests per time, such as 60/min, 5/s or 1000/h, not \`${text}\``);
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text, 'gu');
  } catch (error) {
    throw new UsageError(`\`--redact\`: ${error instanceof Error ? error.message : String(error)}`);
  }
}
