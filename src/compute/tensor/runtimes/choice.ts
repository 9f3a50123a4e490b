/**
 * What `auto` chooses: TensorFlow on a GPU that it was installed for; else, of the runtimes that compute on the CPU,
 * the one that was measured to be faster (`planner/runtime-speed.ts`), and ONNX Runtime if nothing was measured.
 */

import type { Host } from '../../../language/host/host.js';
import { RUNTIME_NAMES, type RuntimeName, type RuntimeRequest } from '../../../language/ir/runtimes.js';
import { identityOf, RUNTIMES } from './index.js';
import { isCrowded } from './onnx/waiting.js';
import { readSpeeds, type Speeds, WORTH_IT } from './speeds.js';
import { readTensorFlow } from './tensorflow/installed.js';
import {
  explainVariant,
  forcedVariant,
  measuredSeconds,
  unmeasured,
  type Variant,
  variantOf,
} from './tensorflow/variants.js';

/** Exists where the driver of an NVIDIA GPU is loaded. */
const NVIDIA_DEVICE = '/dev/nvidiactl';

export const DEFAULT_RUNTIME: RuntimeName = 'onnx';

const NOBODY: RuntimeRequest = { choice: 'auto', by: 'auto' };

const hasGpu = (host: Host): boolean =>
  readTensorFlow(host)?.cuda === true && host.stat(NVIDIA_DEVICE) !== undefined;

/**
 * What TensorFlow can do on a CPU and ONNX Runtime cannot: compile a graph, and multiply on bfloat16. Without either it took
 * 1.1 to 1.4 times as long on every machine, so a measurement that finds it faster was disturbed.
 */
const offersMore = ({ xla, bf16 }: Variant, precision: Precision): boolean =>
  xla || (bf16 && precision === 'bf16');

const mayBeFaster = (host: Host, precision: Precision): boolean => {
  const forced = forcedVariant(host);
  return readTensorFlow(host)?.cuda === false && (forced === undefined || offersMore(forced, precision));
};

/** Runtimes that are measured against each other on a CPU; the backends of TensorFlow.js are never faster there. */
export const contenders = (host: Host, precision: Precision = 'f32'): readonly RuntimeName[] =>
  mayBeFaster(host, precision) ? ['onnx', 'tensorflow'] : ['onnx'];

/** A block's step that is measured. */
export interface Measurement {
  /** Under which it is kept. */
  readonly key: string;
  readonly runtime: RuntimeName;
  readonly precision: Precision;
  readonly variant?: Variant;
}

/** Of the products of what is to be run. */
type Precision = 'f32' | 'bf16';

const onnxMeasurement = (host: Host, precision: Precision): Measurement => ({
  key: `onnx ${identityOf(host, 'onnx').version}${precision === 'f32' ? '' : ', products in bf16'}`,
  runtime: 'onnx',
  precision,
});

/** Whether how fast TensorFlow is matters to what was asked for. */
const isAsked = (host: Host, { choice, precision }: RuntimeRequest): boolean =>
  choice === 'tensorflow'
    ? readTensorFlow(host) !== undefined
    : choice === 'auto' && (hasGpu(host) || contenders(host, precision).length > 1);

/** What has to be measured next; nothing if all that matters is known. */
export function measurements(host: Host, asked: RuntimeRequest, speeds: Speeds): readonly Measurement[] {
  if (!isAsked(host, asked)) return [];
  const onnx = onnxMeasurement(host, asked.precision ?? 'f32');
  const compared = asked.choice === 'auto' && !hasGpu(host) && speeds[onnx.key] === undefined;
  const variants = unmeasured(host, speeds).map((one) => ({ ...one, runtime: 'tensorflow' as const }));
  return [...(compared ? [onnx] : []), ...variants];
}

/** Seconds of each contender; `undefined` if one was not measured yet, or there is but one. */
export function measuredSpeeds(
  host: Host,
  precision: Precision = 'f32',
): Readonly<Partial<Record<RuntimeName, number>>> | undefined {
  const speeds = readSpeeds(host);
  const asked = { ...NOBODY, ...(precision === 'bf16' && { precision }) };
  if (contenders(host, precision).length < 2 || measurements(host, asked, speeds).length > 0)
    return undefined;
  const [onnx, tensorflow] = [speeds[onnxMeasurement(host, precision).key], measuredSeconds(host, precision)];
  return typeof onnx === 'number' && tensorflow !== undefined ? { onnx, tensorflow } : undefined;
}

/**
 * Whether something is asked for of which it is not known what is fastest, and that could be found out: what is measured
 * next to other programs would be kept, and is not how fast they are.
 */
export const isUndecided = (host: Host, asked: RuntimeRequest = NOBODY): boolean =>
  measurements(host, asked, readSpeeds(host)).length > 0 && !isCrowded(host.machine());

/** Reads what was measured, and measures nothing. */
export function chooseRuntime(host: Host, { choice, precision }: RuntimeRequest = NOBODY): RuntimeName {
  if (choice !== 'auto') return choice;
  if (hasGpu(host)) return 'tensorflow';
  const { onnx = 0, tensorflow = Number.NaN } = measuredSpeeds(host, precision) ?? {};
  return offersMore(variantOf(host), precision ?? 'f32') && tensorflow <= WORTH_IT * onnx
    ? 'tensorflow'
    : DEFAULT_RUNTIME;
}

/** Which runtime is taken and why, and what each of the others would need: one sentence each. */
export function explainChoice(host: Host, asked: RuntimeRequest = NOBODY): readonly string[] {
  const chosen = chooseRuntime(host, asked);
  return [
    [
      `${RUNTIMES[chosen].title}: ${reason(host, asked, chosen)}`,
      ...(chosen === 'tensorflow' ? explainVariant(host) : []),
    ].join('; '),
    ...RUNTIME_NAMES.filter((name) => name !== chosen && RUNTIMES[name].version(host) !== undefined).map(
      (name) => `${RUNTIMES[name].title}: ${need(host, name)}`,
    ),
  ];
}

function reason(host: Host, { choice, by, precision }: RuntimeRequest, chosen: RuntimeName): string {
  if (choice !== 'auto')
    return by === 'pipeline' ? 'the pipeline asks for it, in a budget' : 'asked for by `--runtime`';
  if (hasGpu(host)) return 'there is a GPU that it was installed for';
  const speeds = measuredSpeeds(host, precision);
  if (contenders(host, precision).length < 2) return 'it comes with ftpc, and nothing faster is installed';
  if (speeds === undefined) return 'nothing was measured yet, because other programs keep the cores busy';
  const all = Object.entries(speeds).map(
    ([name, seconds = 0]) => `${(1000 * seconds).toFixed(0)} ms with ${name}`,
  );
  const rounded = precision === undefined ? '' : ` with \`precision = ${precision}\``;
  const text = `a step of one block${rounded}, measured here, takes ${all.join(', ')}`;
  if (chosen !== DEFAULT_RUNTIME) return text;
  return offersMore(variantOf(host), precision ?? 'f32')
    ? `${text}; another runtime has to be a fifth faster`
    : `${text}; TensorFlow is only taken when compiled by XLA${precision === undefined ? '' : ' or multiplying on bfloat16'}`;
}

function need(host: Host, name: RuntimeName): string {
  if (name === 'tensorflow' && readTensorFlow(host)?.cuda === true && !hasGpu(host))
    return `installed for GPUs, but no GPU driver is loaded; \`--runtime ${name}\` computes on the CPU`;
  return `installed; \`--runtime ${name}\` takes it`;
}
