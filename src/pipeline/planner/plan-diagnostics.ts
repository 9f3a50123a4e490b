/** What can be wrong with a plan, as diagnostics. */

import { secretUnset } from '../../language/diagnostics/catalogue/params.js';
import { counted, error, info, warning } from '../../language/diagnostics/make.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { RunEngine } from '../../language/ir/engines.js';
import type { Origin, Program, SecretValue, Stage, Value } from '../../language/ir/program.js';
import { isList, isRecord, isSecret } from '../../language/ir/values.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { planTexts } from '../stages/train-plan/fields.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import type { MachineMatch, PlanMachine } from './machines.js';
import {
  availableText,
  largestText,
  type MemoryBudget,
  refusedText,
  type TightMemory,
  tighter,
} from './memory-budget.js';
import type { Peak, PlannedStage, RejectedPlan } from './plan-json.js';
import { bytes, duration } from './quantities.js';

interface NotFit {
  readonly peak: Peak;
  readonly budget: MemoryBudget;
  readonly machine: PlanMachine;
  readonly rejected: readonly RejectedPlan[];
  /** A step that the file does not list and with which the stage would fit. */
  readonly wouldHelp?: string;
  /** Devices have shards of the model: with more of them, each has less. */
  readonly isSharded?: boolean;
}

export function notFit(
  stage: Stage,
  { peak, budget, machine, rejected, wouldHelp, isSharded = false }: NotFit,
): Diagnostic {
  const tight = tighter(peak, budget);
  const { needs, available, device } = tight;
  const { refused } = peak;
  const short = device ?? machine;
  const there = device?.isLimited
    ? sentence(tight)
    : `${bytes(available)} of the ${bytes(short.memoryBytes)} of ${short.name} are available`;
  const ways = [
    ...(wouldHelp === undefined ? [] : [`add \`${wouldHelp}\` to \`fallback\`: the stage would fit`]),
    refused === undefined ? moreMemory(tight, short.memoryBytes) : OTHER_RUNTIME,
    ...(isSharded ? ['use more devices'] : []),
  ];
  const why = refused === undefined ? `${needsText(needs)}, and ${there}` : refusedText(refused);
  return error('FTP0901', stage.span, `stage \`${stage.name}\` does not fit: ${why}`, {
    ...(refused === undefined && { label: largestText(needs) }),
    notes: rejected.map(rejectedText),
    help: ways.join(', or '),
  });
}

/** `it needs 115 MiB, at most 121 MiB`: the latter has to fit. */
const needsText = ({ bytes: expected, high }: TightMemory['needs']): string =>
  `it needs ${bytes(expected)}, at most ${bytes(high)}`;

/** `lora, the base read one block at a time, 1 row at a time, 256 tokens` */
export const planText = (plan: TrainPlan): string => {
  const { method, microBatch, maxLength } = plan;
  const rows = `${counted(microBatch, 'row')} at a time`;
  return [method, ...planTexts(plan), rows, `${maxLength} tokens`].join(', ');
};

export const rejectedText = (plan: RejectedPlan): string =>
  `${planText(plan)}: ${bytes(plan.peakBytes)}; ${plan.why}`;

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

/** A stage without options to choose from. `isSpread`: its weights are spread over the devices. */
export function stageTooLarge(
  { name, span }: Stage,
  peak: Peak,
  { budget, isSpread }: { readonly budget: MemoryBudget; readonly isSpread: boolean },
): Diagnostic {
  const tight = tighter(peak, budget);
  const { needs } = tight;
  const problem = `stage \`${name}\` does not fit:`;
  if (peak.refused !== undefined)
    return error('FTP0902', span, `${problem} ${refusedText(peak.refused)}`, {
      help: `use a smaller model or shorter rows, or ${OTHER_RUNTIME}`,
    });
  return error('FTP0902', span, `${problem} ${needsText(needs)}, and ${sentence(tight)}`, {
    label: largestText(needs),
    help: `use a smaller model or shorter rows, or a machine with more memory${isSpread ? ', or more devices' : ''}`,
  });
}

export const UNKNOWN_MACHINE = 'FTP0903';

/** `meant`: the machine whose name is nearest. */
export const unknownMachine = (name: string, meant: string | undefined): Diagnostic => ({
  code: UNKNOWN_MACHINE,
  severity: 'error',
  message: `no machine of the pipeline or of the catalogue is called \`${name}\``,
  help: `${meant === undefined ? '' : `did you mean \`${meant}\`? `}\`ftpc plan FILE --machines\` lists them all; a file may declare its own: \`machine NAME { memory = 24GiB }\``,
});

/** `--machines abacus` */
export const machinesUnknown = (pattern: string): Diagnostic => ({
  code: 'FTP1925',
  severity: 'error',
  message: `no machine of the pipeline or of the catalogue is like \`${pattern}\``,
  help: 'leave the pattern out to see all; words of a name, of a device and of who rents it out are looked for, such as `a100`, `aws` or `rtx 40*`',
});

/** Machines that a message lists at most. */
const LISTED_MACHINES = 6;

/** `a100`: the first one is taken. */
export const severalMachines = (name: string, { machine, others }: MachineMatch): Diagnostic => {
  const names = others.map((other) => `\`${other.name}\``);
  const more = names.length - LISTED_MACHINES;
  const listed = more > 0 ? [...names.slice(0, LISTED_MACHINES), `${more} more`] : names;
  return {
    code: 'FTP1923',
    severity: 'info',
    message: `\`${name}\` may be several machines: this plan is for \`${machine.name}\``,
    notes: [`others are ${listed.join(', ')}`],
    help: 'write the whole name after `--machine`',
  };
};

/** The memory plan of a device is that of the step graphs that run on this CPU. */
export const deviceNotRun = (machine: PlanMachine): Diagnostic => ({
  code: 'FTP0907',
  severity: 'info',
  message: `the figures for ${machine.name} are those of the step graphs, with an allowance for the device's context; no time is predicted for a machine that is not here`,
  help: 'a plan without `--machine` is for this machine',
});

export const lengthsAssumed = ({ name, span }: Stage, why: string): Diagnostic =>
  info(
    'FTP0908',
    span,
    `the rows of \`${name}\` could not be read, so the plan assumes that every row has \`max_length\` tokens: ${why}`,
  );

/** One error a secret whose environment variable is not set. */
export function missingSecrets(stage: Stage, host: Host): readonly Diagnostic[] {
  const found = new Map(secretsIn(stage.settings).map((secret) => [secret.env, secret]));
  return [...found.values()]
    .filter(({ env }) => (host.env(env) ?? '').trim() === '')
    .map(({ secret, env }) => secretUnset(stage.span, stage.name, secret, env));
}

function secretsIn(value: Value): readonly SecretValue[] {
  if (isSecret(value)) return [value];
  if (isList(value)) return value.flatMap(secretsIn);
  return isRecord(value) ? Object.values(value).flatMap(secretsIn) : [];
}

/**
 * Trainings that come to a point at which they can save more seldom than a notice is long: what they did since the last
 * checkpoint is lost then. They can after each micro batch.
 */
export function slowSteps(
  program: Program,
  stages: readonly PlannedStage[],
  notice: number,
): readonly Diagnostic[] {
  return stages.flatMap(({ name, action, seconds, scale, chosen }) => {
    const source = program.stages.find((stage) => stage.name === name);
    if (source === undefined || chosen === null || action === 'cached') return [];
    const passes = (scale?.steps ?? Number.POSITIVE_INFINITY) * chosen.accumulation;
    const pass = (seconds?.expected ?? 0) / passes;
    return pass <= notice ? [] : [slowPass(source, pass, notice)];
  });
}

/** What was left is no rate to write if the training diverged at it too. */
const RATE_AFTER_ALL = 0.1;

/** `setbacks`: those of the last run, in order; what each left of the rate. `isOver`: it diverged after the last of them, too. */
export function divergedBefore(
  stage: Stage,
  setbacks: readonly { readonly cause: string; readonly to: number; readonly factor: number }[],
  isOver: boolean,
): Diagnostic {
  const left = setbacks.reduce((product, { factor }) => product * factor, 1);
  const { optimizer } = settingsOf(stage, 'train');
  const rate = Number((Number(optimizer.args['rate']) * left * (isOver ? RATE_AFTER_ALL : 1)).toPrecision(6));
  const times = setbacks.length === 1 ? 'once' : setbacks.length === 2 ? 'twice' : `${setbacks.length} times`;
  return info(
    'FTP0858',
    stage.span,
    `\`${stage.name}\` diverged in its last run and went back ${times}: ${Number((100 * left).toPrecision(3))}% of its rate were left`,
    {
      notes: setbacks.map(
        ({ cause, to }) => `${to === 0 ? 'back to the start' : `back to step ${to}`}: ${cause}`,
      ),
      help: isOver
        ? `it diverged with what was left, too: write a far lower rate, such as \`rate: ${rate}\``
        : `write \`rate: ${rate}\`, so that it need not diverge first`,
    },
  );
}

/** Trainings that a file has multiply in float32 on GPUs that multiply bfloat16, many times as fast. */
export const slowProducts = (
  { stages }: Pick<Program, 'stages'>,
  engine: RunEngine,
  device: string,
): readonly Diagnostic[] =>
  engine.name !== 'accelerate' || engine.multipliesBf16 !== true
    ? []
    : stages.flatMap(({ kind, name, span, origins, settings }) =>
        kind === 'train' && settings['precision'] === 'f32' && ASKED.has(origins['precision'] ?? 'default')
          ? [
              warning(
                'FTP2340',
                span,
                `\`${name}\` multiplies in float32, and ${device} multiplies bfloat16`,
                {
                  notes: ['with a frozen base, bfloat16 halves the memory of its weights, too'],
                  help: 'leave `precision` out, or write `precision = auto`: what is trained stays float32',
                },
              ),
            ]
          : [],
      );

/** Who asks for what a setting has. */
const ASKED: ReadonlySet<Origin> = new Set(['author', 'param', 'preset']);

const slowPass = ({ name, span }: Stage, pass: number, notice: number): Diagnostic =>
  warning(
    'FTP0817',
    span,
    `\`${name}\` can save its progress about every ${duration(pass)}, and the notice is ${duration(notice)}: a run that is told to end may lose what was done since the last checkpoint`,
    {
      help: 'use a smaller `batch.micro`, save often (`checkpoint = { every: … }`), or ask for a longer notice',
    },
  );

export const nothingToCompare = (file: string): Diagnostic =>
  error(
    'FTP1941',
    undefined,
    `\`${file}\` has no train stage that could be trained by LoRA, QLoRA or in full alike`,
    {
      notes: [
        'prompts, prefixes, bottleneck adapters, heads alone and adapters to continue from have one way of training',
      ],
      help: 'name a pipeline with a `train` stage of its own LoRA adapter, or of a whole model',
    },
  );

export const nothingToSweep = (file: string): Diagnostic =>
  error('FTP1942', undefined, `\`${file}\` has no train stage whose memory could be drawn`, {
    notes: ['a rank is what LoRA and QLoRA have, and a stage whose base cannot be read has no plan'],
    help: 'name a pipeline with a `train` stage, or sweep `length` or `batch` of a full training',
  });

export const lengthLeftOut = ({ name, span }: Stage, length: number, positions: number): Diagnostic =>
  warning(
    'FTP1943',
    span,
    `rows of ${length} tokens are left out: the base of \`${name}\` has ${positions} positions`,
    {
      label: 'trained here',
      help: `sweep \`length\` up to ${positions}`,
    },
  );
