/** Replies of a judge, each asked for once: those that are verdicts survive kills with the work of their stage. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import { ownJson } from '../../../../language/host/json.js';
import type { Call } from '../../../../language/ir/program.js';
import type { Endpoint, EndpointRequest } from '../../endpoint.js';
import type { StageContext } from '../../stage.js';
import type { Verdict } from './verdicts.js';

const FILE = 'reply.json';
const SAVED = v.object({ reply: v.string() });

/** Tries until a reply is a verdict; the others are paid for too. */
const MOST_TRIES = 3;
const REMINDER = 'That was not the JSON object that was asked for. Reply with it, and with nothing else.';

/** By the digest of what is asked of whom. */
export class Replies {
  private readonly known: Set<string>;
  /** One request that several tasks make is made once. */
  private readonly running = new Map<string, Promise<string>>();

  constructor(private readonly context: Pick<StageContext, 'work' | 'host'>) {
    this.known = new Set(context.work.committed());
  }

  /** The reply to a verdict's request: the first that can be read, or else the last one. */
  of(endpoint: Endpoint, call: Call, verdict: Verdict): Promise<string> {
    const name = `reply-${digestOf(call, verdict.request)}`;
    const found = this.running.get(name) ?? this.saved(name) ?? this.asked(name, endpoint, verdict);
    this.running.set(name, found);
    return found;
  }

  private saved(name: string): Promise<string> | undefined {
    if (!this.known.has(name)) return undefined;
    const { work, host } = this.context;
    return Promise.resolve(ownJson(SAVED, host.readText(join(work.path, name, FILE))).reply);
  }

  private async asked(name: string, endpoint: Endpoint, { request, read }: Verdict): Promise<string> {
    let reply = '';
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const again = tries === 0 ? [] : [{ role: 'user', content: REMINDER } as const];
      reply = await endpoint.ask({ ...request, messages: [...request.messages, ...again] });
      if (read(reply) === undefined) continue;
      await this.context.work.commit(name, { [FILE]: JSON.stringify({ reply }) });
      break;
    }
    return reply;
  }
}

/** Keys, and how fast is asked, change no reply. */
const digestOf = ({ args: { url, model } }: Call, { messages }: EndpointRequest): string =>
  createHash('sha256')
    .update(JSON.stringify([url, model ?? null, messages]))
    .digest('hex')
    .slice(0, 32);
