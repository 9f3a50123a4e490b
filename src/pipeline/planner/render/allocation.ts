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
};

const UNCOUNTED = {
  architecture: 'an estimate, as nothing was counted for this architecture',
  versions: 'an estimate, as nothing was counted for these versions of PyTorch',
} as const;

export function allocationLines(
  { phase, bytes: expected, low, high, reserved, driver, uncounted }: Allocation,
  palette: Palette,
  width = Number.POSITIVE_INFINITY,
): readonly string[] {
  const range = (figures: { readonly low: number; readonly high: number }): string =>
    `${bytes(figures.low)} to ${bytes(figures.high)}`;
  const shown =
    reserved === undefined || driver === undefined
      ? ''
      : `; the allocator holds ${range(reserved)}, nvidia-smi shows ${range(driver)}`;
  const text = `Tensors: ${bytes(expected)} (${range({ low, high })}) ${PHASES[phase]}${shown}${uncounted === undefined ? '' : `; ${UNCOUNTED[uncounted]}`}`;
  return wrapped(text, width - 2).map((line) => palette.dim(`  ${line}`));
}
