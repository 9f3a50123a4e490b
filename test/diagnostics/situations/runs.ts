import { preloaded } from './faults.js';
import type { Situations } from './types.js';

/** The processes of stages begin that many milliseconds late. */
const slowStages = (ms: number): Readonly<Record<string, string>> =>
  preloaded(`if (/child\\.js$/.test(process.argv[1]))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms});`);

export const RUNS: Situations = {
  FTP0823: () => ({ env: slowStages(2500) }),
};
