import type { RunStatus } from '../../language/ir/events.js';

/** Exit codes of every command. */
export const EXIT = {
  done: 0,
  error: 1,
  changes: 2,
  gateFailed: 3,
  budgetExceeded: 4,
  interrupted: 130,
} as const;

export const EXIT_OF_RUN: Readonly<Record<RunStatus, number>> = {
  done: EXIT.done,
  failed: EXIT.error,
  gate_failed: EXIT.gateFailed,
  budget_exceeded: EXIT.budgetExceeded,
  interrupted: EXIT.interrupted,
};
