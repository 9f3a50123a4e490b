/** What PyTorch's tensors take at their fullest, and when that is. */
import type { Allocation } from '../plan-json.js';
import { bytes } from '../quantities.js';
import type { Palette } from './columns.js';
import { wrapped } from './wrapped.js';

const PHASES: Readonly<Record<Allocation['phase'], string>> = {
  load: 'while the base is read',
  head: 'at the head, with its logits and their gradients',
  last_block: 'in the backward pass of the last block',
  first_block: 'in the backward pass of the first block',
  optimizer_step: "in the optimiser's step",
  evaluation: 'in a validation',
  reference: 'while the reference is asked',
};

const PLACES = { here: ' on this machine', tables: ' (recorded tables)' } as const;

const UNCOUNTED = {
  architecture: ' for other architectures (recorded tables), so that it is an estimate',
  versions: ' (recorded tables), so that it is an estimate for these versions',
} as const;

interface AllocationOptions {
  readonly width?: number | undefined;
  /** What the GPU is called. */
  readonly gpu?: string | undefined;
}

export function allocationLines(
  { phase, bytes: expected, low, high, reserved, driver, uncounted, counted }: Allocation,
  palette: Palette,
  { width = Number.POSITIVE_INFINITY, gpu = '' }: AllocationOptions = {},
): readonly string[] {
  const range = (figures: { readonly low: number; readonly high: number }): string =>
    `${bytes(figures.low)} to ${bytes(figures.high)}`;
  const shown =
    reserved === undefined || driver === undefined
      ? ''
      : `; the allocator holds ${range(reserved)}, ${gpu.startsWith('AMD ') ? 'rocm-smi' : 'nvidia-smi'} shows ${range(driver)}`;
  const text = `Tensors: ${bytes(expected)} (${range({ low, high })}) ${PHASES[phase]}${shown}; counted with torch ${counted.torch}${uncounted === undefined ? PLACES[counted.by] : UNCOUNTED[uncounted]}`;
  return wrapped(text, width - 2).map((line) => palette.dim(`  ${line}`));
}
