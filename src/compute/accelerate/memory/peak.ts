/** What a device has at its fullest: a figure of what tensors take, and ranges of what allocator and driver show. */
import { phasesOf } from './phases.js';
import {
  type Certainty,
  type Phase,
  type PhaseBytes,
  type Range,
  TORCH_PARTS,
  type TorchPeak,
  type TorchTraining,
} from './training.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/**
 * How far what is counted may be off, as shares: of what stays (weights, adapter, gradients, optimiser), and of what comes and
 * goes with the tokens, which kernels and versions decide.
 */
const SPREADS: Readonly<Record<Certainty, Spread>> = {
  counted: { fixed: 0.01, below: 0.07, above: 0.07 },
  estimated: { fixed: 0.08, below: 0.25, above: 0.2 },
  assumed: { fixed: 0.04, below: 0.85, above: 0.3 },
};
interface Spread {
  readonly fixed: number;
  readonly below: number;
  readonly above: number;
}

/**
 * Beyond what tensors take, the allocator keeps blocks that it has freed and cannot use: with rows of one length a few percent
 * of what comes and goes, with lengths that change much more. At most, no block serves in two phases: then each part is held at
 * its fullest, and `unused` of what comes and goes besides. `varied`: blocks of one length are of no use for a longer one, and stay
 * until memory runs out.
 */
const FRAGMENTATION = { moving: 0.35, varied: 3, fixed: 0.05, unused: 0.2 } as const;

/** Phases that every step passes. */
const STEP: readonly Phase[] = ['head', 'last_block', 'first_block', 'optimizer_step'];

/** CUDA's context with its modules, cuBLAS' and cuDNN's workspaces (0.3 to 2 GB are published); and what NCCL takes with several devices. */
const CONTEXT: Range = { low: 250 * MIB, high: 1.8 * GIB };
const NCCL: Range = { low: 50 * MIB, high: 1.5 * GIB };

export function torchPeak(training: TorchTraining): TorchPeak {
  const phases = phasesOf(training);
  const peak = phases.reduce((most, one) => (one.bytes > most.bytes ? one : most));
  const spread = SPREADS[training.certainty ?? 'counted'];
  const low = lower(peak, spread);
  const high = upper(peak, spread, training.isVaried === true ? FRAGMENTATION.varied : FRAGMENTATION.moving);
  const reserved = { low, high: Math.max(high.reserved, high.allocated + unusedBytes(phases, peak)) };
  const several = training.sharding.world > 1;
  const context = {
    low: CONTEXT.low + (several ? NCCL.low : 0),
    high: CONTEXT.high + (several ? NCCL.high : 0),
  };
  return {
    phases,
    peak,
    allocated: { bytes: peak.bytes, low, high: high.allocated },
    reserved,
    driver: { low: reserved.low + context.low, high: reserved.high + context.high },
    context,
  };
}

/** What the allocator holds beyond the fullest phase where none of its blocks serves in two phases of a step. */
function unusedBytes(phases: readonly PhaseBytes[], fullest: PhaseBytes): number {
  const steps = phases.filter(({ phase }) => STEP.includes(phase));
  const most = (of: (phase: PhaseBytes) => number): number => Math.max(0, ...steps.map(of));
  const apart = TORCH_PARTS.reduce((sum, part) => sum + most(({ parts }) => parts[part]), 0);
  return Math.max(0, apart - fullest.bytes) + FRAGMENTATION.unused * most((phase) => split(phase).moving);
}

/** What comes and goes with the tokens, and what stays. */
function split({ parts, bytes }: PhaseBytes): { readonly moving: number; readonly fixed: number } {
  const moving = parts.activations + parts.logits + parts.workspace;
  return { moving, fixed: bytes - moving };
}

function lower(phase: PhaseBytes, spread: Spread): number {
  const { moving, fixed } = split(phase);
  return (1 - spread.fixed) * fixed + (1 - spread.below) * moving;
}

interface Upper {
  readonly allocated: number;
  readonly reserved: number;
}

function upper(phase: PhaseBytes, spread: Spread, lost: number): Upper {
  const { moving, fixed } = split(phase);
  const allocated = (1 + spread.fixed) * fixed + (1 + spread.above) * moving;
  return { allocated, reserved: allocated + lost * moving + FRAGMENTATION.fixed * fixed };
}
