/** Which devices multiply bfloat16 by themselves; others round and multiply in float32. */
import { machineCatalogue } from '../../language/check/machine-catalogue.js';
import type { Host } from '../../language/host/host.js';
import type { Machine } from '../../language/ir/machine.js';
import { findMachine } from '../planner/machines.js';
import type { Gpu } from './gpus.js';

/** Compute capability of Ampere, whose tensor cores were NVIDIA's first for bfloat16. */
const AMPERE = 8;

/** `undefined`: nothing says it. */
type Answer = boolean | undefined;

/** Whether all GPUs do, since a training uses one format on all; one that does not tell is known by its name, or is not. */
export function onGpus(host: Host, gpus: readonly Gpu[]): Answer {
  const answers = gpus.map(({ capability, name }) =>
    capability === undefined ? inCatalogue(host, name) : capability >= AMPERE,
  );
  return answers.length > 0 && !answers.includes(false) && (answers.includes(undefined) ? undefined : true);
}

/** Whether a device of a machine that is not here does: by its rates, or, without any, by its name. */
export const onMachine = (host: Host, { device, rates }: Machine): Answer =>
  device !== undefined && (rates === undefined ? inCatalogue(host, device) : rates.bf16 !== undefined);

function inCatalogue(host: Host, device: string): Answer {
  const rates = findMachine(device, machineCatalogue(host))?.machine.rates;
  return rates && rates.bf16 !== undefined;
}
