/** Which devices multiply bfloat16 by themselves; others round and multiply in float32. */
import { machineCatalogue } from '../../language/check/machine-catalogue.js';
import type { Host } from '../../language/host/host.js';
import type { Machine } from '../../language/ir/machine.js';
import { findMachine } from '../planner/machines.js';
import type { Gpu } from './gpus.js';

/** Compute capability of Ampere, whose tensor cores were NVIDIA's first for bfloat16. */
const AMPERE = 8;

/** Whether all GPUs do, since a training uses one format on all; one that does not tell is known by its name, or is not. */
export const onGpus = (host: Host, gpus: readonly Gpu[]): boolean =>
  gpus.length > 0 &&
  gpus.every(({ capability, name }) =>
    capability === undefined ? isOfCatalogue(host, name) : capability >= AMPERE,
  );

/** Whether a device of a machine that is not here does: by its rates, or, without any, by its name. */
export const onMachine = (host: Host, { device, rates }: Machine): boolean =>
  device !== undefined && (rates === undefined ? isOfCatalogue(host, device) : rates.bf16 !== undefined);

const isOfCatalogue = (host: Host, device: string): boolean =>
  findMachine(device, machineCatalogue(host))?.machine.rates?.bf16 !== undefined;
