/** What was measured of the runtimes on this machine, in a file of the user's cache. */
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import type { Host } from '../../../language/host/host.js';
import {
  anyObject,
  finite,
  type Json,
  type JsonOf,
  record,
  tryJsonFile,
} from '../../../language/host/json.js';
import { runtimesFolder } from './tensorflow/installed.js';

/** Seconds of a block's step, by name and version of what computed it, or of compiling it; `null` if it failed. */
const SPEEDS = record(v.nullable(finite));
export type Speeds = JsonOf<typeof SPEEDS>;

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

const readAll = (host: Host): Json => tryJsonFile(anyObject, host, speedsPath(host)) ?? {};

/** What was measured on this machine, or nothing. */
export function readSpeeds(host: Host): Speeds {
  const speeds = readAll(host)[machineKey(host)];
  return v.is(SPEEDS, speeds) ? speeds : {};
}

/** The file with these measurements of this machine in it. */
export const withSpeeds = (host: Host, speeds: Speeds): string =>
  `${JSON.stringify({ ...readAll(host), [machineKey(host)]: speeds }, null, 2)}\n`;
