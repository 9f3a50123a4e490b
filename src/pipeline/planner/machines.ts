/** Machines that a plan can be made for without being on them. */
import type { Host } from '../../language/host/host.js';

const MIB = 2 ** 20;

export interface PlanMachine {
  readonly name: string;
  readonly memoryBytes: number;
  readonly devices: readonly { readonly name: string; readonly memoryBytes: number }[];
  /** Whether it is the machine that plans: only then can time be predicted. */
  readonly here: boolean;
}

interface CatalogueEntry {
  /** Memory that a program can see, MiB: what `nvidia-smi` reports, which is less than the name says where ECC is on. */
  readonly mib: number;
  /** What the device is called; left out for a computer without one. */
  readonly device?: string;
}

/** Visible memory as read from `nvidia-smi` output of such cards. */
const CATALOGUE: Readonly<Record<string, CatalogueEntry>> = {
  'cpu-2gib': { mib: 2 * 1024 },
  'cpu-4gib': { mib: 4 * 1024 },
  'cpu-8gib': { mib: 8 * 1024 },
  'cpu-16gib': { mib: 16 * 1024 },
  'cpu-32gib': { mib: 32 * 1024 },
  'cpu-64gib': { mib: 64 * 1024 },
  'cpu-128gib': { mib: 128 * 1024 },
  t4: { mib: 15_360, device: 'NVIDIA T4' },
  l4: { mib: 23_034, device: 'NVIDIA L4' },
  a10g: { mib: 23_028, device: 'NVIDIA A10G' },
  rtx3090: { mib: 24_576, device: 'NVIDIA GeForce RTX 3090' },
  rtx4090: { mib: 24_564, device: 'NVIDIA GeForce RTX 4090' },
  rtx5090: { mib: 32_607, device: 'NVIDIA GeForce RTX 5090' },
  a40: { mib: 46_068, device: 'NVIDIA A40' },
  l40s: { mib: 46_068, device: 'NVIDIA L40S' },
  'rtx-a6000': { mib: 46_068, device: 'NVIDIA RTX A6000' },
  'a100-40gb': { mib: 40_960, device: 'NVIDIA A100 40GB' },
  'a100-80gb': { mib: 81_117, device: 'NVIDIA A100 80GB' },
  'h100-80gb': { mib: 81_559, device: 'NVIDIA H100 80GB' },
  'h200-141gb': { mib: 143_771, device: 'NVIDIA H200' },
  'mi300x-192gb': { mib: 196_608, device: 'AMD Instinct MI300X' },
};

export const machineNames = (): readonly string[] => Object.keys(CATALOGUE);

/** `undefined` for a name that the catalogue does not have. */
export function catalogueMachine(name: string, memoryBytes?: number, devices = 1): PlanMachine | undefined {
  const entry = Object.hasOwn(CATALOGUE, name) ? CATALOGUE[name] : undefined;
  if (entry === undefined) return undefined;
  const bytes = memoryBytes ?? entry.mib * MIB;
  const { device } = entry;
  return {
    name,
    memoryBytes: bytes,
    devices:
      device === undefined
        ? []
        : Array.from({ length: devices }, () => ({ name: device, memoryBytes: bytes })),
    here: false,
  };
}

export function thisMachine(host: Host, memoryBytes?: number): PlanMachine {
  const machine = host.machine();
  return { name: machine.name, memoryBytes: memoryBytes ?? machine.memoryBytes, devices: [], here: true };
}

/**
 * What may be planned with. A computer keeps a tenth for the system and for other programs; a device is this
 * process's own, and loses some to fragmentation; a pipeline may take less of it.
 */
export function availableBytes({ memoryBytes, devices }: PlanMachine, ofDevice = memoryBytes): number {
  return devices.length > 0
    ? Math.min(Math.floor(memoryBytes * 0.95), ofDevice)
    : Math.floor(memoryBytes * 0.9);
}
