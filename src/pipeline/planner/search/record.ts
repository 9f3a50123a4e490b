/** How the trials of a search came out, as a run has left it: the next plan reads the winner here. */
import { join } from 'node:path';
import * as v from 'valibot';
import type { Host } from '../../../language/host/host.js';
import { count, type JsonOf, tryJsonFile, version } from '../../../language/host/json.js';
import type { Search } from '../../../language/ir/program.js';
import { layoutOf, replaceFile } from '../../store/index.js';
import { canonical, sha256 } from '../canonical.js';

const TRIAL_ENDS = ['done', 'ended', 'failed', 'gate_closed'] as const;

const TRIAL = v.object({
  /** `ended`: early, by the search. */
  end: v.picklist(TRIAL_ENDS),
  /** What trials are compared by; `null` where it was not measured. */
  value: v.nullable(v.number()),
  /** Validation losses at the rungs that it reached. */
  losses: v.array(v.number()),
});
export type TrialOutcome = JsonOf<typeof TRIAL>;

const RECORD = v.object({ version: version(1), trials: v.array(TRIAL), winner: count });
export type SearchRecord = JsonOf<typeof RECORD>;

/** Everything that decides who wins: which trials there are, and how they are compared. */
export const searchKey = (
  { method, factor, by, trials }: Search,
  keyOf: (stage: string) => string | undefined,
): string =>
  sha256(
    canonical({
      method,
      ...(method === 'halving' ? { factor } : {}),
      by: by.port,
      trials: trials.map(({ stages }) => keyOf(stages[by.stage] ?? '') ?? ''),
    }),
  );

const recordPath = (host: Pick<Host, 'cwd' | 'store'>, key: string): string =>
  join(layoutOf(host).root, 'searches', `${key}.json`);

export function readSearchRecord(host: Host, key: string, trials: number): SearchRecord | undefined {
  const path = recordPath(host, key);
  if (host.stat(path) === undefined) return undefined;
  const found = tryJsonFile(RECORD, host, path);
  return found?.trials.length === trials && found.winner < trials ? found : undefined;
}

export const writeSearchRecord = (
  host: Pick<Host, 'cwd' | 'store'>,
  key: string,
  record: SearchRecord,
): void => replaceFile(recordPath(host, key), `${JSON.stringify(record)}\n`);
