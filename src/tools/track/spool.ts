/** What is to be delivered: a file per run in `.ftp/track`, which says of each tracker whether it has the training. */
import { join } from 'node:path';
import * as v from 'valibot';
import type { Host } from '../../language/host/host.js';
import { anyObject, type JsonOf, record, tryJsonFile, version } from '../../language/host/json.js';
import { layoutOf, replaceFile } from '../../pipeline/store/index.js';

const TRACKING = v.object({
  stage: v.string(),
  tracker: v.picklist(['tensorboard', 'mlflow', 'wandb']),
  /** Of secrets the name and the variable, never what they are. */
  args: anyObject,
  state: v.picklist(['pending', 'delivered']),
  /** Where it is to be seen. */
  where: v.optional(v.string()),
  /** Why it was not delivered the last time. */
  problem: v.optional(v.string()),
});
export type Tracking = JsonOf<typeof TRACKING>;

const SPOOL = v.object({
  version: version(1),
  runId: v.string(),
  pipeline: v.string(),
  trackings: v.array(TRACKING),
  /** What the plan said of each training, in Markdown. */
  planned: record(v.string()),
});
export type Spool = JsonOf<typeof SPOOL>;

const folderOf = (host: Pick<Host, 'cwd' | 'store'>): string => join(layoutOf(host).root, 'track');

export const keepSpool = (host: Pick<Host, 'cwd' | 'store'>, spool: Spool): void =>
  replaceFile(join(folderOf(host), `${spool.runId}.json`), `${JSON.stringify(spool)}\n`);

/** Oldest first; files that are no spools are passed over. */
export function spools(host: Host): readonly Spool[] {
  const folder = folderOf(host);
  if (host.stat(folder)?.isFolder !== true) return [];
  return host
    .list(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .flatMap((name) => tryJsonFile(SPOOL, host, join(folder, name)) ?? []);
}

export const hasPending = (host: Host): boolean =>
  spools(host).some(({ trackings }) => trackings.some(({ state }) => state === 'pending'));
