/** What one plan leaves for the next in `.ftp`: digests of files, and the speed of this machine. */
import * as v from 'valibot';
import { UserError } from '../../language/diagnostics/types.js';
import {
  type Digests,
  type DigestTable,
  digestTablePath,
  openDigests,
  readDigestTable,
} from '../../language/host/digests.js';
import type { Host } from '../../language/host/host.js';
import { anyObject, tryJsonFile } from '../../language/host/json.js';
import { replaceFile } from '../store/index.js';
import { SPEED, type Speed } from './speed.js';

interface PlanCache {
  readonly digests: Digests;
  /** The speed that was measured under this name, or is measured now. */
  speed(name: string, measure: () => Promise<Speed>): Promise<Speed>;
  /** Writes what is new, where a run has made `.ftp`: a plan alone leaves nothing behind. */
  keep(): void;
}

/** Where the speed of this machine is stored. */
export const speedPath = ({ cwd }: Pick<Host, 'cwd'>): string => `${cwd}/.ftp/speed.json`;

/**
 * `known`: what another part of the program knows of files, some of which may not be here yet; `speeds`: what was
 * measured before.
 */
export function openPlanCache(
  host: Host,
  known: DigestTable = {},
  speeds = new Map<string, Speed>(),
): PlanCache {
  const digests = openDigests(host, readDigestTable(host), known);
  const path = speedPath(host);
  let measured: Record<string, Speed> | undefined;
  return {
    digests,
    async speed(name, measure) {
      const known = readSpeeds(host, path);
      const found = known[name] ?? speeds.get(name);
      if (found !== undefined) return found;
      const speed = await measure();
      speeds.set(name, speed);
      measured = { ...known, [name]: speed };
      return speed;
    },
    keep() {
      if (host.stat(`${host.cwd}/.ftp`)?.isFolder !== true) return;
      const table = digests.changed();
      try {
        if (table !== undefined) replaceFile(digestTablePath(host.cwd), `${JSON.stringify(table)}\n`);
        if (measured !== undefined) replaceFile(path, `${JSON.stringify(measured)}\n`);
      } catch (error) {
        // a memory that cannot be written costs time at the next plan, nothing else
        if (!(error instanceof UserError)) throw error;
      }
    },
  };
}

const readSpeeds = (host: Host, path: string): Readonly<Record<string, Speed>> =>
  Object.fromEntries(
    Object.entries(tryJsonFile(anyObject, host, path) ?? {}).flatMap(([name, speed]) =>
      v.is(SPEED, speed) ? [[name, speed]] : [],
    ),
  );
