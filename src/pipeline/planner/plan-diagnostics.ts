/** What can be wrong with a plan, as diagnostics. */
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Stage } from '../../language/ir/program.js';
import { planTexts } from '../stages/train-plan/fields.js';
import type { PlanMachine } from './machines.js';
import { largestPart } from './memory/peaks.js';
import { availableText, type MemoryBudget, refusedText, type TightMemory, tighter } from './memory-budget.js';
import { bytes } from './quantities.js';
import type { Peak, RejectedPlan } from './types.js';

export interface NotFit {
  readonly peak: Peak;
  readonly budget: MemoryBudget;
  readonly machine: PlanMachine;
  readonly rejected: readonly RejectedPlan[];
  /** A step that the file does not list and with which the stage would fit. */
  readonly wouldHelp?: string;
}

export function notFit(stage: Stage, { peak, budget, machine, rejected, wouldHelp }: NotFit): Diagnostic {
  const tight = tighter(peak, budget);
  const { needs, available, device } = tight;
  const { part, bytes: size } = largestPart(needs.parts);
  const short = device ?? machine;
  const there = device?.isLimited
    ? sentence(tight)
    : `${bytes(available)} of the ${bytes(short.memoryBytes)} of ${short.name} are available`;
  const ways = [
    ...(wouldHelp === undefined ? [] : [`add \`${wouldHelp}\` to \`fallback\`: the stage would fit`]),
    peak.refused === undefined ? moreMemory(tight, short.memoryBytes) : OTHER_RUNTIME,
  ];
  const why =
    peak.refused === undefined
      ? `it needs at least ${bytes(needs.bytes)}, and ${there}`
      : refusedText(peak.refused);
  return {
    code: 'FTP0901',
    severity: 'error',
    message: `stage \`${stage.name}\` does not fit: ${why}`,
    at: stage.span,
    ...(peak.refused === undefined && { label: `largest part: ${part}, ${bytes(size)}` }),
    notes: rejected.map((plan) => {
      const { method, microBatch, maxLength, peakBytes, why: reason } = plan;
      const rows = `${microBatch} ${microBatch === 1 ? 'row' : 'rows'} at a time`;
      return `${[method, ...planTexts(plan), rows, `${maxLength} tokens`].join(', ')}: ${bytes(peakBytes)}; ${reason}`;
    }),
    help: ways.join(', or '),
  };
}

const OTHER_RUNTIME = 'compute with another runtime, e.g. `--runtime onnx`';

/** How to get more memory; `memoryBytes` is what there is now. */
function moreMemory({ needs, available, device }: TightMemory, memoryBytes: number): string {
  const whole = bytes(memoryBytes * (needs.high / available));
  if (device === undefined) return `use a machine with ${whole} or more`;
  if (device.isLimited) return `allow ${bytes(needs.high)} or more where it is limited: ${LIMITS}`;
  return device.isShared ? OTHER_RUNTIME : `use a GPU with ${whole} or more`;
}

/** `3.00 GiB are available on NVIDIA L4` */
const sentence = (tight: TightMemory): string =>
  availableText(tight).replace(/ (available|allowed)/, ' are $1');

const LIMITS = 'as `device_memory` in a budget, or in `FTPC_DEVICE_MEMORY`';

/** A stage without options to choose from. */
export function stageTooLarge(stage: Stage, peak: Peak, budget: MemoryBudget): Diagnostic {
  const tight = tighter(peak, budget);
  const { needs } = tight;
  const { part, bytes: size } = largestPart(needs.parts);
  if (peak.refused !== undefined)
    return {
      code: 'FTP0902',
      severity: 'error',
      message: `stage \`${stage.name}\` does not fit: ${refusedText(peak.refused)}`,
      at: stage.span,
      help: `use a smaller model or shorter rows, or ${OTHER_RUNTIME}`,
    };
  return {
    code: 'FTP0902',
    severity: 'error',
    message: `stage \`${stage.name}\` does not fit: it needs ${bytes(needs.bytes)}, and ${sentence(tight)}`,
    at: stage.span,
    label: `largest part: ${part}, ${bytes(size)}`,
    help: 'use a smaller model or shorter rows, or a machine with more memory',
  };
}

export function unknownMachine(name: string, known: readonly string[]): Diagnostic {
  return {
    code: 'FTP0903',
    severity: 'error',
    message: `no machine of the catalogue is called \`${name}\``,
    notes: [`the known machines are ${known.join(', ')}`],
    help: 'plan for one of these, or write the snapshot again with `--machine NAME`',
  };
}

export function noSuchEngine(engine: string): Diagnostic {
  return {
    code: 'FTP0906',
    severity: 'error',
    message: `this version has no engine \`${engine}\``,
    help: 'leave `--engine` out: `embedded` runs the pipeline in this process',
  };
}

/** The memory plan of a device is that of the step graphs that run on this CPU. */
export function deviceNotRun(machine: PlanMachine): Diagnostic {
  return {
    code: 'FTP0907',
    severity: 'info',
    message: `the figures for ${machine.name} are those of the step graphs, with an allowance for the device's context; no time is predicted for a machine that is not here`,
    help: 'a plan without `--machine` is for this machine',
  };
}

export function lengthsAssumed(stage: Stage, why: string): Diagnostic {
  return {
    code: 'FTP0908',
    severity: 'info',
    message: `the rows of \`${stage.name}\` could not be read, so the plan assumes that every row has \`max_length\` tokens: ${why}`,
    at: stage.span,
  };
}
