/**
 * What `auto` stands for: TensorFlow on a GPU that it was installed for; else, of the runtimes that compute on the CPU,
 * the one that was measured to be faster (`planner/runtime-speed.ts`), and ONNX Runtime where nothing was measured.
 */
import { dirname, join } from 'node:path';
import { type AskedRuntime, RUNTIME_NAMES, type RuntimeChoice, type RuntimeName } from '../../ir/runtimes.js';
import type { Host } from '../../source/host.js';
import { identityOf, RUNTIMES } from './index.js';
import { isCrowded } from './onnx/waiting.js';
import { readTensorFlow, runtimesFolder } from './tensorflow/installed.js';

/** Stands where the driver of an NVIDIA GPU is loaded. */
const NVIDIA_DEVICE = '/dev/nvidiactl';

const DEFAULT: RuntimeName = 'onnx';

/** Another than the default must take this much less time: it takes more memory, and measurements waver. */
const WORTH_IT = 0.8;

/** Seconds of a block's step, by name and version of the runtime. */
export type RuntimeSpeeds = Readonly<Record<string, number>>;

const hasGpu = (host: Host): boolean =>
  readTensorFlow(host)?.cuda === true && host.stat(NVIDIA_DEVICE) !== undefined;

const nameOf = (host: Host, name: RuntimeName): string => {
  const { version } = identityOf(host, name);
  return `${name} ${version}`;
};

/** Runtimes that are measured against each other on a CPU; the backends of TensorFlow.js are never faster there. */
export const contenders = (host: Host): readonly RuntimeName[] =>
  (['onnx', 'tensorflow'] as const).filter(
    (name) =>
      RUNTIMES[name].version(host) !== undefined &&
      (name !== 'tensorflow' || readTensorFlow(host)?.cuda === false),
  );

export const speedsPath = (host: Host): string => join(dirname(runtimesFolder(host)), 'runtime-speed.json');

/** Under what measurements are kept: another processor has its own. */
export const machineKey = (host: Host): string => {
  const { cpu, cores } = host.machine();
  return `${cpu}, ${cores} cores`;
};

/** What was measured on this machine, or nothing. */
export function readSpeeds(host: Host): Readonly<Record<string, RuntimeSpeeds>> {
  try {
    const found: unknown = JSON.parse(host.readText(speedsPath(host)));
    return typeof found === 'object' && found !== null ? (found as Record<string, RuntimeSpeeds>) : {};
  } catch {
    return {};
  }
}

/** Seconds of each contender; `undefined` where one was not measured yet, or there is but one. */
export function measuredSpeeds(host: Host): Readonly<Partial<Record<RuntimeName, number>>> | undefined {
  const names = contenders(host);
  const known = readSpeeds(host)[machineKey(host)] ?? {};
  const speeds = names.map((name) => [name, known[nameOf(host, name)]] as const);
  const whole = names.length > 1 && speeds.every(([, seconds]) => typeof seconds === 'number');
  return whole ? Object.fromEntries(speeds) : undefined;
}

/**
 * Whether `auto` has several runtimes to choose from, does not know which is faster, and could find out: what is measured
 * beside other programs would be kept, and is not how fast they are.
 */
export const isUndecided = (host: Host, asked: RuntimeChoice = 'auto'): boolean =>
  asked === 'auto' &&
  !hasGpu(host) &&
  contenders(host).length > 1 &&
  measuredSpeeds(host) === undefined &&
  !isCrowded(host.machine());

/** The file with these measurements in it. */
export const withSpeeds = (host: Host, seconds: Readonly<Partial<Record<RuntimeName, number>>>): string => {
  const named = Object.entries(seconds).map(([name, one]) => [nameOf(host, name as RuntimeName), one]);
  return `${JSON.stringify({ ...readSpeeds(host), [machineKey(host)]: Object.fromEntries(named) }, null, 2)}\n`;
};

/** Reads what was measured, and measures nothing. */
export function chooseRuntime(host: Host, asked: RuntimeChoice = 'auto'): RuntimeName {
  if (asked !== 'auto') return asked;
  if (hasGpu(host)) return 'tensorflow';
  const speeds = measuredSpeeds(host);
  const seconds = speeds?.[DEFAULT];
  if (speeds === undefined || seconds === undefined) return DEFAULT;
  const [fastest = DEFAULT] = contenders(host).toSorted((a, b) => (speeds[a] ?? 0) - (speeds[b] ?? 0));
  return (speeds[fastest] ?? seconds) <= WORTH_IT * seconds ? fastest : DEFAULT;
}

const NOBODY: AskedRuntime = { choice: 'auto', by: 'auto' };

/** Which runtime is taken and why, and what each of the others would need: a sentence each. */
export function explainChoice(host: Host, asked: AskedRuntime = NOBODY): readonly string[] {
  const chosen = chooseRuntime(host, asked.choice);
  return [
    `${RUNTIMES[chosen].title}: ${reason(host, asked, chosen)}`,
    ...RUNTIME_NAMES.filter((name) => name !== chosen).map(
      (name) => `${RUNTIMES[name].title}: ${need(host, name)}`,
    ),
  ];
}

function reason(host: Host, { choice, by }: AskedRuntime, chosen: RuntimeName): string {
  if (choice !== 'auto')
    return by === 'pipeline' ? 'the pipeline asks for it, in a budget' : 'asked for by `--runtime`';
  if (hasGpu(host)) return 'there is a GPU that it was installed for';
  const speeds = measuredSpeeds(host);
  if (contenders(host).length < 2) return 'it comes with ftpc, and nothing faster is installed';
  if (speeds === undefined) return 'nothing was measured yet: other programs take the cores';
  const all = Object.entries(speeds).map(
    ([name, seconds = 0]) => `${(1000 * seconds).toFixed(0)} ms with ${name}`,
  );
  const text = `a block's step was measured here: ${all.join(', ')}`;
  return chosen === DEFAULT ? `${text}; another one must be a fifth faster` : text;
}

function need(host: Host, name: RuntimeName): string {
  const { install, version } = RUNTIMES[name];
  if (version(host) === undefined) return `not installed; ${install}`;
  if (name === 'tensorflow' && readTensorFlow(host)?.cuda === true && !hasGpu(host))
    return `installed for GPUs, and no driver of one is loaded; \`--runtime ${name}\` computes on the CPU`;
  return `installed; \`--runtime ${name}\` takes it`;
}
