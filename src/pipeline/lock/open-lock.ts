import { resolve } from 'node:path';
import { userProblem } from '../../compute/models/user-problem.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { Lock } from '../../language/schemas/lock-file.js';
import { readLock } from './read-lock.js';

/** The lock next to a pipeline; a diagnostic where it cannot be used. */
export function openLock(host: Host, name: string): Lock | Diagnostic | undefined {
  try {
    return readLock(host, resolve(host.cwd, name), name);
  } catch (error) {
    const problem = userProblem(error);
    if (problem === undefined) throw error;
    return problem;
  }
}
