/** A disk that is full, or fails, at a call that changes a file: said with a code, nothing half done, and the next run goes on. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DiskErrorCode, ERRORS, type FaultPlan } from './faults/plan.js';
import type { Kind } from './kind.js';
import { callsOf, type SceneCall, sitesOf } from './order.js';
import { difference, halfOutputs, leftovers, notRefused, notWell, outputsOf, run } from './project.js';
import { copyScene, SCENES, scenes } from './scenes.js';

interface Case extends SceneCall {
  readonly error: DiskErrorCode;
}

export const disk: Kind = {
  doc: 'a full disk and an I/O error at every place where a file is changed; the next run goes on',
  count: Number.POSITIVE_INFINITY,
  short: 3,
  open: async ({ folder, shared, seed, count }) => {
    const found = await scenes(shared, count < SCENES.length ? ['adapter', 'local'] : SCENES);
    const sites = callsOf(found, seed).slice(0, sitesOf(found));
    const cases: readonly Case[] = sites.flatMap((one) => ERRORS.map((error) => ({ ...one, error })));
    return {
      cases: Math.min(count, cases.length),
      run: async (number) => {
        const one = cases[number];
        if (one === undefined) return [];
        const what = await failed(one, join(folder, `case-${number}`));
        const { scene, call, error } = one;
        const title = `${scene.name}, ${error} at call ${call.number} of ${call.process}, ${call.name} ${call.path}`;
        return what === undefined ? [] : [{ number, what: `${title}: ${what}` }];
      },
    };
  },
};

/** Lets the disk fail, runs again, and says what is wrong. */
async function failed({ scene, call, error }: Case, folder: string): Promise<string | undefined> {
  const hit = `${folder}.hit`;
  copyScene(scene.folder, folder);
  try {
    const at = { process: call.process, number: call.number };
    const faults: FaultPlan = { root: folder, at, error, hit };
    const first = await run(folder, { faults });
    const problem = first.code === 0 ? notWell(first) : notRefused(first);
    if (problem !== undefined) return problem;
    const half = existsSync(hit) ? halfOutputs(folder) : ['the call was not reached'];
    if (half.length > 0) return half.join(', ');
    const again = await run(folder);
    const left = leftovers(folder);
    return (
      notWell(again) ??
      difference(scene.outputs, outputsOf(folder)) ??
      (left.length === 0 ? undefined : `left behind: ${left.join(', ')}`)
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(hit, { force: true });
  }
}
