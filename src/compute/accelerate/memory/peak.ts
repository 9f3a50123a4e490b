/** What a device has at its fullest: a figure of what tensors take, and ranges of what allocator and driver show. */
import { phasesOf } from './phases.js';
import type { Certainty, PhaseBytes, Range, TorchPeak, TorchTraining } from './training.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/**
 * How far what is counted may be off, as shares: of what stays (weights, adapter, gradients, optimiser), and of what comes and
 * goes with the tokens, which kernels and versions decide.
 */
const SPREADS: Readonly<Record<Certainty, Spread>> = {
  counted: { fixed: 0.01, below: 0.07, above: 0.07 },
  assumed: { fixed: 0.04, below: 0.3, above: 0.3 },
};
interface Spread {
  readonly fixed: number;
  readonly below: number;
  readonly above: number;
}

/**
 * Beyond what tensors take, the allocator keeps blocks that it has freed and cannot use: with rows of one length a few percent
 * of what comes and goes, with lengths that change much more.
 */
const FRAGMENTATION = { least: 0, most: 0.35, fixed: 0.02 } as const;

/** CUDA's context with its modules, cuBLAS' and cuDNN's workspaces; and what NCCL takes with several devices. */
const CONTEXT: Range = { low: 250 * MIB, high: 1.3 * GIB };
const NCCL: Range = { low: 50 * MIB, high: 1.5 * GIB };

export function torchPeak(training: TorchTraining): TorchPeak {
  const phases = phasesOf(training);
  const peak = phases.reduce((most, one) => (one.bytes > most.bytes ? one : most));
  const allocated = { bytes: peak.bytes, ...intervalOf(peak, training.certainty ?? 'counted') };
  const { moving, fixed } = split(peak);
  const reserved = {
    low: allocated.low + FRAGMENTATION.least * moving,
    high: allocated.high + FRAGMENTATION.most * moving + FRAGMENTATION.fixed * fixed,
  };
  const several = training.sharding.world > 1;
  return {
    phases,
    peak,
    allocated,
    reserved,
    driver: {
      low: reserved.low + CONTEXT.low + (several ? NCCL.low : 0),
      high: reserved.high + CONTEXT.high + (several ? NCCL.high : 0),
    },
  };
}

function split({ parts, bytes }: PhaseBytes): { readonly moving: number; readonly fixed: number } {
  const moving = parts.activations + parts.logits + parts.workspace;
  return { moving, fixed: bytes - moving };
}

function intervalOf(peak: PhaseBytes, certainty: Certainty): Range {
  const { moving, fixed } = split(peak);
  const spread = SPREADS[certainty];
  return {
    low: peak.bytes - spread.fixed * fixed - spread.below * moving,
    high: peak.bytes + spread.fixed * fixed + spread.above * moving,
  };
}
