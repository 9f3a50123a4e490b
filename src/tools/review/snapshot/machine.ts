/** For which machine a snapshot is made, so that it says the same wherever it is made. */
import type { Expression, Program } from '../../../language/ir/program.js';
import type { MachineChoice } from '../plan-quietly.js';
import type { SnapshotMachine } from './types.js';

/** Where neither a machine is named nor a budget says how much memory there is. */
const USUAL: SnapshotMachine = { kind: 'catalogue', name: 'cpu-8gib' };

/** What was asked for on the command line; `undefined` if nothing was. */
export function askedMachine({ machine, memoryBytes, devices }: MachineChoice): SnapshotMachine | undefined {
  if (machine !== undefined)
    return {
      kind: 'catalogue',
      name: machine,
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(devices === undefined ? {} : { devices }),
    };
  return memoryBytes === undefined ? undefined : { kind: 'memory', memoryBytes };
}

export const usualMachine = (program: Program): SnapshotMachine =>
  memoryLimit(program) === undefined ? USUAL : { kind: 'budget' };

/** How a plan for it is asked for; of a budget that is gone, the usual machine. */
export function machineChoice(machine: SnapshotMachine, program: Program): MachineChoice {
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

export function machineText(machine: SnapshotMachine): string {
  if (machine.kind === 'budget') return 'the memory that its budget allows';
  if (machine.kind === 'memory') return `${machine.memoryBytes / 2 ** 20} MiB of memory`;
  return machine.name;
}
