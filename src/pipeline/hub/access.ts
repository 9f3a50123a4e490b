import { badEndpoint, badToken } from '../../language/diagnostics/catalogue/hub.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { Host, ServerWait } from '../../language/host/host.js';
import type { HubFile } from '../../language/ir/program.js';

/** So many bytes in so many milliseconds, by a clock in milliseconds. */
interface Pace {
  readonly bytes: number;
  readonly window: number;
  clock(): number;
}

/** A KiB per second: a connection that gives less over a minute is broken, or keeps its reader waiting on purpose. */
const PACE: Pace = { bytes: 61_440, window: 60_000, clock: () => performance.now() };

/** How a hub is reached. The token is kept only here, while requests are made. */
export interface HubAccess {
  /** `https://huggingface.co`, or `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** `HF_HUB_OFFLINE`: no server is asked. */
  readonly offline: boolean;
  /** Milliseconds without a byte after which a request counts as lost. */
  readonly patience: number;
  /** What a server has to send at least; none where it is not looked at. */
  readonly pace?: Pace;
  /** Told when a server asks to be waited for, and when one takes longer than `quiet` milliseconds to answer. */
  readonly waiting?: (wait: ServerWait) => void;
  readonly quiet?: number;
  /** Milliseconds before each further try. */
  readonly pauses: readonly number[];
  /** What is said where the server can't be reached; default: that of a Hub. */
  readonly lost?: (detail: string) => Diagnostic;
  /** What is said where the server asks for a longer pause than anybody waits, as `60 minutes`; default: that of a Hub. */
  readonly late?: (wait: string, detail: string) => Diagnostic;
  readonly token?: string;
  readonly signal?: AbortSignal;
}

/** A commit's files, as the Hub lists them. */
export interface HubListing {
  readonly commit: string;
  readonly files: readonly HubFile[];
}

const ENDPOINT = 'https://huggingface.co';
const PATIENCE = 30;
const QUIET = 5_000;
const PAUSES = [300, 1_000, 3_000];
const TRUE = /^(?:1|on|yes|true)$/i;

/** Whatever else is in it is not shown: it may hold a password. */
function isEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (
    (url?.protocol === 'https:' || url?.protocol === 'http:') &&
    url.username === '' &&
    url.password === '' &&
    url.search === ''
  );
}

/** What the Hub's own library reads from the environment, under the same names. `secret` names a variable. Throws a `UserError`. */
export function accessFrom(
  { env, waiting }: Pick<Host, 'env' | 'waiting'>,
  secret: string | undefined,
  signal?: AbortSignal,
): HubAccess {
  const endpoint = (env('HF_ENDPOINT') || ENDPOINT).replace(/\/+$/, '');
  if (!isEndpoint(endpoint)) throw new UserError(badEndpoint());
  const seconds = Number(env('HF_HUB_DOWNLOAD_TIMEOUT'));
  const token = secret === undefined ? undefined : env(secret)?.trim();
  if (secret !== undefined && token !== undefined && !/^[\x21-\x7e]*$/.test(token))
    throw new UserError(badToken(secret));
  return {
    endpoint,
    offline: TRUE.test(env('HF_HUB_OFFLINE') ?? ''),
    patience: 1000 * (seconds > 0 ? seconds : PATIENCE),
    pauses: PAUSES,
    pace: PACE,
    quiet: QUIET,
    ...(waiting === undefined ? {} : { waiting }),
    ...(token === undefined || token === '' ? {} : { token }),
    ...(signal === undefined ? {} : { signal }),
  };
}
