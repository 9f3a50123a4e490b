/** What the accelerate engine computes with, and how its ranks share each training, with reasons. */
import { formatQuantity } from '../../../language/check/units.js';
import type { Ranks, Sharding } from '../../../language/ir/engines.js';
import type { Value } from '../../../language/ir/program.js';
import type { Plan, PlannedNetwork, PlannedRanks, PlannedStage } from '../plan-json.js';
import { duration } from '../quantities.js';

const SET_BY: Readonly<Record<Plan['engineSetBy'], string>> = {
  option: 'as asked for on the command line',
  pipeline: 'as the pipeline asks',
  auto: 'as the machine has a GPU',
};

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** The first line says what computes; empty for the embedded engine. */
export function engineLines(plan: Plan): readonly string[] {
  const { runtime, engineSetBy, ranks, network, stages } = plan;
  if (ranks === undefined) return [];
  const versions = runtime.slice(runtime.indexOf(' ') + 1);
  return [
    `Computed by the accelerate engine, ${SET_BY[engineSetBy]}: ${placeText(ranks)}; ${versions}`,
    ...(network === undefined ? [] : [networkText(network, plan)]),
    ...stages.flatMap((stage) => [
      ...sharingText(stage, ranks),
      ...idleText(stage, ranks),
      ...precisionText(stage, ranks),
    ]),
  ];
}

function networkText(
  { bytesPerSecond, slowest, fastest, from, like }: PlannedNetwork,
  { totals: { seconds } }: Plan,
): string {
  const speed = (of: number): string => formatQuantity(of, 'bandwidth');
  const ends =
    seconds === null || slowest === fastest
      ? ''
      : `; the run takes at least ${duration(seconds.low)}, with ${speed(fastest)}, and at most ${duration(seconds.high)}, with ${speed(slowest)}`;
  const why = {
    machine: 'as declared',
    others: `as of ${like}, since none is declared${ends}`,
    default: `as of 10 Gbit/s, since none is declared${ends}`,
  };
  return `network between machines: ${speed(bytesPerSecond)}, ${why[from]}`;
}

/** `8 ranks on GPUs of each of 2 nodes` */
export function placeText({ device, devices, nodes }: Ranks): string {
  const where =
    device === 'cpu' ? 'the CPU' : devices === 1 ? 'a GPU' : `${count(devices, 'GPU')}, one for each`;
  const on = `${count(devices, 'rank')} on ${where}`;
  return nodes === 1 ? on : `${on}, on each of ${nodes} nodes`;
}

export const SHARING: Readonly<Record<Sharding, string>> = {
  ddp: 'each rank has a replica of the model (ddp)',
  fsdp: 'the ranks have shards of the model (fsdp)',
};

function sharingText({ name, chosen, rejected }: PlannedStage, ranks: Ranks): readonly string[] {
  const sharding = chosen?.sharding;
  if (sharding === undefined) return [];
  const offloaded =
    chosen?.cpuOffload === true ? ', and those not in use are in the memory of the machine' : '';
  return [`${name}: ${SHARING[sharding]}${offloaded}, ${whyShared(sharding, ranks, rejected)}`];
}

/** Where a step has fewer micro batches than there are ranks. */
function idleText({ name, chosen }: PlannedStage, { devices, nodes }: Ranks): readonly string[] {
  const ranks = devices * nodes;
  if (chosen === null || chosen.accumulation >= ranks) return [];
  const { accumulation, microBatch } = chosen;
  const rows = count(accumulation * microBatch, 'row');
  return [
    `${name}: a step has ${rows}, so that ${ranks - accumulation} of ${ranks} ranks have none: raise \`batch.global\`, or use fewer devices`,
  ];
}

/** On GPUs, where the file leaves it to them. */
function precisionText({ name, effective }: PlannedStage, ranks: PlannedRanks): readonly string[] {
  const { value, from } = effective['precision'] ?? {};
  return from !== 'planner' || ranks.device === 'cpu'
    ? []
    : [`${name}: precision ${value}: ${whyPrecision(value, ranks)}`];
}

/** `ranks`: left out on the embedded engine. */
export function whyPrecision(value: Value | undefined, ranks: PlannedRanks | undefined): string {
  if (ranks?.device === 'cuda') return value === 'bf16' ? 'the GPU multiplies it' : whyNotBf16(ranks);
  return `${ranks === undefined ? 'the embedded engine' : 'a CPU'} computes in float32 unless asked otherwise`;
}

const whyNotBf16 = ({ bf16Unknown }: PlannedRanks): string =>
  bf16Unknown === true
    ? 'no `rates` are declared that say whether the GPU multiplies bf16, and its name is not known'
    : 'the GPU does not multiply bf16';

function whyShared(sharding: Sharding, ranks: Ranks, rejected: PlannedStage['rejected']): string {
  if (ranks.sharding !== 'auto') return 'as asked for';
  if (sharding === 'ddp') return 'since one fits';
  const replica = rejected.find((plan) => plan.sharding === 'ddp' || plan.sharding === undefined);
  return replica === undefined ? 'as in the run that it goes on from' : 'since a replica does not fit';
}
