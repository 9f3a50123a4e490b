/** What a training has reached on a machine, for the next plan of the same machine: kept next to the measured speed of `.ftp`. */
import * as v from 'valibot';
import type { Host } from '../../../language/host/host.js';
import { anyObject, tryJsonFile } from '../../../language/host/json.js';
import { lookUp } from '../../../language/source/look-up.js';
import { replaceFile } from '../../store/index.js';
import { speedPath } from '../plan-cache.js';
import type { Pace } from '../plan-json.js';
import { SPEED } from '../speed.js';

/** Operations per second that were reached under a name. The file is read once. */
export function measuredPaces(host: Host): (name: string) => number | undefined {
  const paces = tryJsonFile(anyObject, host, speedPath(host)) ?? {};
  return (name) => {
    const found = lookUp(paces, name);
    return v.is(SPEED, found) ? found.flopsPerSecond : undefined;
  };
}

/** Of a training that was run in one piece. Throws a `UserError` where the disk refuses. */
export function keepPace(host: Host, { name, flopsPerToken }: Pace, tokensPerSecond: number): void {
  if (!Number.isFinite(tokensPerSecond) || tokensPerSecond <= 0) return;
  const known = tryJsonFile(anyObject, host, speedPath(host)) ?? {};
  const speed = { flopsPerSecond: tokensPerSecond * flopsPerToken };
  replaceFile(speedPath(host), `${JSON.stringify({ ...known, [name]: speed })}\n`);
}
