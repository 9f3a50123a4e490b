/** A pipeline against the plan that is kept next to it. */
import type { ParamValues } from '../../../language/check/overrides.js';
import { compile } from '../../../language/compile.js';
import { snapshotMachine, snapshotParams } from '../../../language/diagnostics/catalogue/review.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import type { Expression, Program } from '../../../language/ir/program.js';
import { canonical } from '../../../pipeline/planner/canonical.js';
import { compare } from '../compare.js';
import { type MachineChoice, machineRequest, planQuietly, type QuietPlan } from '../plan-quietly.js';
import type { Comparison } from '../types.js';
import { asKept, fromSnapshot, toSnapshot } from './convert.js';
import { type Snapshot, type SnapshotMachine, sameMachine } from './snapshot.js';

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

/** Where neither a machine is named nor a budget says how much memory there is. */
const USUAL: SnapshotMachine = { kind: 'catalogue', name: 'cpu-8gib' };

/**
 * The machine that was asked for on the command line, so that a snapshot says the same wherever it is made; `undefined`
 * if nothing was.
 */
function askedMachine({ machine, memoryBytes, devices }: MachineChoice): SnapshotMachine | undefined {
  if (machine !== undefined)
    return {
      kind: 'catalogue',
      name: machine,
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(devices === undefined ? {} : { devices }),
    };
  return memoryBytes === undefined ? undefined : { kind: 'memory', memoryBytes };
}

const usualMachine = (program: Program): SnapshotMachine =>
  memoryLimit(program) === undefined ? USUAL : { kind: 'budget' };

/** How a plan for it is asked for; of a budget that is gone, the usual machine. */
function machineChoice(machine: SnapshotMachine, program: Program): MachineChoice {
  switch (machine.kind) {
    case 'catalogue': {
      const { name, memoryBytes, devices } = machine;
      return { machine: name, memoryBytes, devices };
    }
    case 'memory':
      return { memoryBytes: machine.memoryBytes };
    case 'budget': {
      const limit = memoryLimit(program);
      return limit === undefined
        ? machineChoice(USUAL, program)
        : { memoryBytes: Math.ceil(limit / PLANNED_SHARE) };
    }
  }
}

/** Share of a computer's memory that is planned with: see `availableBytes`. */
const PLANNED_SHARE = 0.9;

/** The least of the budgets' limits on memory, bytes. */
function memoryLimit({ budgets }: Program): number | undefined {
  const limits = budgets.flatMap(({ requires }) =>
    requires.map(({ condition }) => limitIn(condition)).filter((limit) => limit !== undefined),
  );
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function limitIn(condition: Expression): number | undefined {
  if (!('left' in condition)) return undefined;
  const { op, left, right } = condition;
  if (op === 'and') return least(limitIn(left), limitIn(right));
  const [metric, limit] = op === '<=' || op === '<' ? [left, right] : [right, left];
  const isLimit =
    ['<=', '<', '>=', '>'].includes(op) && metric.op === 'name' && metric.path[0] === 'peak_memory';
  return isLimit && limit.op === 'value' && typeof limit.value === 'number' ? limit.value : undefined;
}

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

function machineText(machine: SnapshotMachine): string {
  if (machine.kind === 'budget') return 'the memory that its budget allows';
  if (machine.kind === 'memory') return `${machine.memoryBytes / 2 ** 20} MiB of memory`;
  return machine.name;
}
