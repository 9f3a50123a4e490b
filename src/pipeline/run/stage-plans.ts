import { resolve } from 'node:path';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { DiskError } from '../../language/host/disk.js';
import type { Host } from '../../language/host/host.js';
import { nodeDisk } from '../../language/host/node-disk.js';
import type { Program, Stage } from '../../language/ir/program.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { sweepLeftovers } from '../deploy/publish.js';
import { checkTarget } from '../deploy/releases.js';
import { checkReachable } from '../hub/publish/index.js';
import { loadOf, waitsFor } from '../planner/parallel-stages.js';
import type { Plan } from '../planner/plan-json.js';
import type { Store } from '../store/index.js';
import type { StagePlan } from './run-context.js';

/** The stages that are to run, in order, each with what the plan says about it; with `only`, these and all that they read. */
export function stagePlansOf(program: Program, plan: Plan, only?: readonly string[]): readonly StagePlan[] {
  const wanted = only === undefined ? undefined : reachable(program, only);
  const awaiting = new Set(plan.stages.flatMap(({ name, awaits }) => (awaits === undefined ? [] : [name])));
  return program.stages
    .filter(({ name }) => (wanted === undefined || wanted.has(name)) && !awaiting.has(name))
    .map((stage) => {
      const planned = plan.stages.find(({ name }) => name === stage.name);
      if (planned === undefined) throw new Error(`the plan knows no stage ${stage.name}`);
      const { key, parts, reasons, chosen, residency, encoders, peak, pace, rungs } = planned;
      const deviceBytes = peak?.device?.bytes;
      const load = loadOf(planned, waitsFor(stage, program));
      return {
        stage,
        key,
        parts,
        reasons,
        trainPlan: chosen ?? undefined,
        pace,
        residency,
        encoders,
        deviceBytes,
        ...(rungs === undefined ? {} : { rungs }),
        load,
      };
    });
}

/** Names of stages and of everything that they read. */
function reachable(program: Program, names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>(names);
  // the winner may be any of the trials
  const waits = program.stages.some(({ name, awaitsWinner }) => found.has(name) && awaitsWinner === true);
  for (const { stages } of (waits && program.search?.trials) || [])
    for (const name of Object.values(stages)) found.add(name);
  for (const stage of program.stages.toReversed())
    if (found.has(stage.name)) for (const input of stage.inputs) found.add(input);
  return found;
}

/** The folder that a stage publishes to, if it publishes to one. */
function releaseFolder(stage: Stage, host: Host): string | undefined {
  if (stage.kind !== 'deploy') return undefined;
  const { call, args } = settingsOf(stage, 'deploy').target;
  return call === 'directory' ? resolve(host.cwd, String(args['path'])) : undefined;
}

/** Takes away what killed runs left in the folders of releases: a whole model, as a rule. */
export function sweepTargets(plans: readonly StagePlan[], host: Host): void {
  for (const { stage } of plans) {
    const folder = releaseFolder(stage, host);
    if (folder === undefined) continue;
    try {
      sweepLeftovers({ host, disk: nodeDisk() }, folder);
    } catch (error) {
      // The stage says so, if it has to write there.
      if (!(error instanceof DiskError)) throw error;
    }
  }
}

/** Deploy stages whose target cannot be written: told before hours of training, not after them. */
export const unwritableTargets = (
  plans: readonly StagePlan[],
  host: Host,
  store: Pick<Store, 'find'>,
): readonly Diagnostic[] =>
  plans
    .filter(({ stage, key }) => stage.kind === 'deploy' && store.find(key) === undefined)
    .flatMap(({ stage }) => {
      try {
        const folder = releaseFolder(stage, host);
        if (folder !== undefined) checkTarget({ host, disk: nodeDisk() }, folder);
        else checkReachable(settingsOf(stage, 'deploy').target, host);
        return [];
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return [{ ...error.diagnostic, at: stage.span }];
      }
    });
