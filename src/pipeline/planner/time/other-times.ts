/** How long stages take that train nothing, on the accelerate engine: one process computes them. */
import type { Precision } from '../../../compute/models/decoder/types.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { Machine } from '../../../language/ir/machine.js';
import type { Seconds } from '../plan-json.js';
import { decoderWork } from './decoder-work.js';
import { deviceSpeed } from './device.js';
import { forwardSeconds, tokenSeconds } from './step-seconds.js';
import { between } from './train-time.js';
import { DISK, FORETOLD, START } from './utilisation.js';

export interface AnsweredRows {
  /** Rows that are computed at a time. */
  readonly atOnce: number;
  /** Rows that are passed through, and the tokens of each. */
  readonly rows: number;
  readonly length: number;
  /** Rows that are answered, and the tokens of an answer. */
  readonly answers: number;
  readonly answerLength: number;
  /** Of the model, or of what it was trained in: what it is asked in. */
  readonly precision: Precision;
}

/** `times`: how many models are asked, one after the other. */
export function workerSeconds(
  config: ModelConfig,
  { atOnce, rows, length, answers, answerLength, precision }: AnsweredRows,
  machine: Machine | undefined,
  times = 1,
): Seconds | null {
  const device = machine && deviceSpeed(machine, precision);
  if (device === undefined) return null;
  const work = decoderWork(config);
  const width = precision === 'bf16' ? 2 : 4;
  const pass = { rows: atOnce, length, supervised: 1, weightBytes: width, width: width, isQuantised: false };
  const keyValueBytes = 2 * config.layers * config.keyValueHeads * config.headDim * width;
  const passes = Math.ceil((rows + answers) / atOnce) * forwardSeconds(work, pass, device);
  const steps = Math.ceil(answers / atOnce) * answerLength;
  const answered =
    steps * tokenSeconds(work, { ...pass, length: length + answerLength / 2 }, device, keyValueBytes);
  const start = START + (work.weights * width) / DISK;
  return between(times * (start + passes + answered), FORETOLD);
}

/** Reading and writing, tensor by tensor. */
export const diskSeconds = (bytes: number, machine: Machine | undefined): Seconds | null =>
  machine === undefined ? null : between(START + bytes / DISK, FORETOLD);
