/** A pipeline against the plan that is kept next to it. */
import type { ParamValues } from '../../../language/check/overrides.js';
import { compile } from '../../../language/compile.js';
import { snapshotMachine, snapshotParams } from '../../../language/diagnostics/catalogue/review.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { canonical } from '../../../pipeline/planner/canonical.js';
import { compare } from '../compare.js';
import { type MachineChoice, machineRequest, planQuietly, type QuietPlan } from '../plan-quietly.js';
import type { Comparison } from '../types.js';
import { asKept, fromSnapshot, toSnapshot } from './convert.js';
import { askedMachine, machineChoice, machineText, usualMachine } from './machine.js';
import { sameMachine } from './read.js';
import type { Snapshot } from './types.js';

export interface SnapshotRequest {
  readonly host: Host;
  readonly file: string;
  /** How the snapshot's file is called. */
  readonly snapshotFile: string;
  /** What is there; `undefined` if there is none. */
  readonly kept: Snapshot | undefined;
  /** What the command line says; where it says nothing, what is kept counts. */
  readonly params: ParamValues;
  readonly machine: MachineChoice;
}

interface SnapshotResult {
  readonly now: Pick<QuietPlan, 'compiled' | 'diagnostics'>;
  /** Both absent if the pipeline has errors. */
  readonly made?: Snapshot;
  readonly comparison?: Comparison;
}

/** Plans as the snapshot says, or as the command line does, and compares. */
export async function againstSnapshot(request: SnapshotRequest): Promise<SnapshotResult> {
  const { host, file, kept, snapshotFile } = request;
  const params = Object.keys(request.params).length > 0 ? request.params : (kept?.params ?? {});
  const compiled = compile(host, file, { params });
  const { program } = compiled;
  if (program === undefined) return { now: { compiled, diagnostics: compiled.diagnostics } };
  const machine = askedMachine(request.machine) ?? kept?.machine ?? usualMachine(program);
  const choice = machineChoice(machine, program);
  const now = await planQuietly(host, file, params, choice);
  if (now.outline === undefined) return { now };
  const comparison = compare({
    pipeline: file,
    base: { kind: 'snapshot', file: snapshotFile },
    machine: machineRequest(choice),
    before: kept === undefined ? undefined : fromSnapshot(kept),
    after: asKept(now.outline),
  });
  return { now, made: toSnapshot(now.outline, machine, params), comparison };
}

/** What is compared must have been made for the same. Throws a `UserError`. */
export function checkAsked({ kept, snapshotFile, params, machine }: SnapshotRequest): void {
  if (kept === undefined) return;
  if (Object.keys(params).length > 0 && canonical(params) !== canonical(kept.params))
    throw new UserError(snapshotParams(snapshotFile, kept.params));
  const asked = askedMachine(machine);
  if (asked !== undefined && !sameMachine(asked, kept.machine))
    throw new UserError(snapshotMachine(snapshotFile, machineText(kept.machine)));
}
