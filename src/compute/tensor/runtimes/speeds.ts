/** What was measured of the runtimes on this machine, in a file of the user's cache. */
import { dirname, join } from 'node:path';
import type { Host } from '../../../language/host/host.js';
import { runtimesFolder } from './tensorflow/installed.js';

/** Seconds of a block's step, by name and version of what computed it, or of compiling it; `null` where it failed. */
export type Speeds = Readonly<Record<string, number | null>>;

/** Another than the default must take this much less time: it costs something else, and measurements waver. */
export const WORTH_IT = 0.8;

/** Tokens of the step that is measured. */
export const MEASURED_LENGTH = 256;

export const speedsPath = (host: Host): string => join(dirname(runtimesFolder(host)), 'runtime-speed.json');

/** Under what measurements are kept: another processor has its own, and so has another block. */
const machineKey = (host: Host): string => {
  const { cpu, cores } = host.machine();
  return `${cpu}, ${cores} cores: a block of ${MEASURED_LENGTH} tokens`;
};

function readAll(host: Host): Readonly<Record<string, Speeds>> {
  try {
    const found: unknown = JSON.parse(host.readText(speedsPath(host)));
    return typeof found === 'object' && found !== null ? (found as Record<string, Speeds>) : {};
  } catch {
    return {};
  }
}

/** What was measured on this machine, or nothing. */
export const readSpeeds = (host: Host): Speeds => readAll(host)[machineKey(host)] ?? {};

/** The file with these measurements of this machine in it. */
export const withSpeeds = (host: Host, speeds: Speeds): string =>
  `${JSON.stringify({ ...readAll(host), [machineKey(host)]: speeds }, null, 2)}\n`;
