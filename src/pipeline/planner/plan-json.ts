/** What a plan says: `ftpc plan FILE --json`. Contract: docs/schema/plan.json. Bytes and seconds are plain numbers. */

import { type Phase, type Range, TORCH_PARTS } from '../../compute/accelerate/memory/training.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { AccelerateRun, EngineName, EngineRequest, Ranks } from '../../language/ir/engines.js';
import type { Reason, StageAction } from '../../language/ir/events.js';
import type { Instance, ModelShape, Origin, StageKind, Unit, Value } from '../../language/ir/program.js';
import type { RuntimeRequest, WeightResidency } from '../../language/ir/runtimes.js';
import type { SearchMethod } from '../../language/ir/search-methods.js';
import type { ModuleCoverage } from '../stages/train/coverage.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import type { Round } from './search/halving.js';
import type { TrialOutcome } from './search/record.js';

/** What memory is used for, in the order in which it is shown. */
export const MEMORY_PARTS = [...TORCH_PARTS, 'runtime'] as const;
export type MemoryPart = (typeof MEMORY_PARTS)[number];
export type MemoryParts = Readonly<Record<MemoryPart, number>>;

export interface PeakFigures {
  /** Sum of the parts. */
  readonly bytes: number;
  readonly low: number;
  readonly high: number;
  readonly parts: MemoryParts;
  /** Of the accelerate engine's trainings. */
  readonly allocation?: Allocation;
}

/** What PyTorch's tensors take on one device, or of one rank, at their fullest. */
export interface Allocation {
  readonly phase: Phase;
  /** `torch.cuda.max_memory_allocated`. */
  readonly bytes: number;
  readonly low: number;
  readonly high: number;
  /** Of a GPU: what the allocator holds for them, and what `nvidia-smi` shows. */
  readonly reserved?: Range;
  readonly driver?: Range;
  readonly phases: readonly { readonly phase: Phase; readonly bytes: number }[];
  /** Why it is an estimate: nothing was counted for the architecture, or for the versions that compute; left out if it was. */
  readonly uncounted?: 'architecture' | 'versions';
  /**
   * Where what autograd saves was counted, and with which version of PyTorch: here, with the packages that compute, or
   * in recorded tables.
   */
  readonly counted: { readonly by: 'here' | 'tables'; readonly torch: string };
}

/** The most that will be resident in the stage's own process, or in one of its ranks. */
export interface Peak extends PeakFigures {
  /** Ranks that take as much of this machine's memory, each; default: 1. */
  readonly ranks?: number;
  /** Where tensors lie on a GPU of this machine: the most that is taken there. */
  readonly device?: PeakFigures;
  /** A stage that has run: what was measured then. */
  readonly measured?: number;
  /** The largest tensor that the GPU would refuse, as it does not take it in one piece. */
  readonly refused?: RefusedTensor;
}

export interface RefusedTensor {
  readonly bytes: number;
  /** What it takes. */
  readonly largest: number;
}

export interface Seconds {
  readonly expected: number;
  readonly low: number;
  readonly high: number;
}

/** A way to run a train stage that was not taken, and why. */
export type RejectedPlan = TrainPlan & { readonly peakBytes: number; readonly why: string };

export interface EffectiveSetting {
  readonly value: Value;
  readonly from: Origin;
  /** Where it is from a preset: its name, and the module it is in, `std/train` or a path. */
  readonly preset?: string;
  readonly module?: string;
}

/** How much a stage works on; `null` if it is not known, or the stage has none. */
export interface StageScale {
  /** Rows that a data or format stage outputs, or that a train or eval stage reads in one pass. */
  readonly rows: number | null;
  /** Tokens of these rows, and those of them that are learned or scored. */
  readonly tokens: number | null;
  readonly supervisedTokens: number | null;
  /** Optimiser steps of the whole training. */
  readonly steps: number | null;
  /** Tokens of all passes of the training. */
  readonly tokensSeen: number | null;
  /** What PEFT's `print_trainable_parameters` says: the trained numbers, and all with the adapter's among them. */
  readonly trainableParameters: number | null;
  readonly totalParameters: number | null;
  /** Rows are pairs of answers. */
  readonly pairs?: true;
  /** Requests to servers that judge, at most; left out where none is asked. */
  readonly judgeCalls?: number;
  /** Where rows and tokens are from; before repetitions are dropped, sampled rows are an upper bound. */
  readonly known: 'counted' | 'sampled' | 'assumed' | null;
}

/** Where a release is published. */
export interface PublicationPlace {
  readonly target: 'directory' | 'hub' | 'ollama';
  /** The folder, the repository, or the model's name. */
  readonly place: string;
  /** Of the Hub: whether a repository that is created is private, and the branch that gets the commit. */
  readonly private?: boolean;
  readonly branch?: string;
}

/** What a deploy stage publishes. */
export interface Publication extends PublicationPlace {
  /** About; an adapter's base is not among them. */
  readonly files: number;
  readonly bytes: number;
  /** The share of the requests that it is to get; left out: all, once it is current. */
  readonly canary?: number;
}

export interface PlannedStage {
  readonly name: string;
  /** Where a matrix makes several stages of one block. */
  readonly instance?: Instance;
  readonly kind: StageKind;
  readonly action: StageAction;
  readonly reasons: readonly Reason[];
  /** `null` if nothing can be said: the model of the stage cannot be read. */
  readonly peak: Peak | null;
  /** `null` for a machine that is not here, and where nothing was measured. */
  readonly seconds: Seconds | null;
  /** Bytes that the stage will write; 0 if its output exists. */
  readonly diskBytes: number;
  /** Train stages only. */
  readonly chosen: TrainPlan | null;
  /** Eval, merge and deploy stages: how they hold a model's weights. */
  readonly residency?: WeightResidency;
  /** Format stages: threads that encode rows next to the stage itself; left out where it does so alone. */
  readonly encoders?: number;
  /** Deploy stages. */
  readonly publishes?: Publication;
  readonly rejected: readonly RejectedPlan[];
  /** Trainings on the accelerate engine: the name that a measured rate is kept under, and operations per token. */
  readonly pace?: Pace;
  /** Left out where no budget limits the stage, or the machine does so more. */
  readonly limits?: StageLimits;
  readonly effective: Readonly<Record<string, EffectiveSetting>>;
  readonly scale: StageScale | null;
  /** Train stages whose base can be read: which of its modules are trained. */
  readonly coverage?: readonly ModuleCoverage[];
  /** The search whose winner it reads, where that is not known: what it needs is that of the first trial. */
  readonly awaits?: string;
  /** Steps after which a search compares it with other trials, and may end it; its time is what a trial takes on average. */
  readonly rungs?: readonly number[];
  /** Where the output is, or will be, in the store. */
  readonly key: string;
  /** What the key is a digest of. */
  readonly parts: Readonly<Record<string, string>>;
}

/** What a requirement of a budget leaves to a stage. */
export interface BudgetLimit {
  /** Bytes or seconds. */
  readonly most: number;
  /** As written. */
  readonly require: string;
  /** `legal.ftp:68` */
  readonly at: string;
}

/** Where a budget allows a stage less than the machine does. */
export interface StageLimits {
  readonly memory?: BudgetLimit;
  readonly time?: BudgetLimit;
  /** Without the budget, something else would have been chosen. */
  readonly decides?: true;
}

export interface BudgetLine {
  readonly require: string;
  /** The two sides of the comparison that decides. */
  readonly value: number | null;
  readonly limit: number | null;
  /** What they measure; left out for plain numbers. */
  readonly unit?: Unit;
  /** `null` if it is known only after a run. */
  readonly holds: boolean | null;
}

/** Where tensors are, in addition to the process, or within a limit of their own. */
export interface PlannedDevice {
  readonly name: string;
  readonly memoryBytes: number;
  /** What the solver may use: the memory less a margin, or the limit that is set. */
  readonly availableBytes: number;
  /** Its memory is, or may be, the machine's: what lies there counts in the process too. */
  readonly isShared?: boolean;
  /** A limit decides, and not its size. */
  readonly isLimited?: boolean;
}

/** How a run goes with several stages at once; `totals` are those of one after another. */
export interface ParallelPlan {
  /** Stages at once, at most. */
  readonly stages: number;
  readonly by: 'auto' | 'option';
  /** What the planned peaks of stages that run at once may be together. */
  readonly memoryBytes: number;
  readonly seconds: Seconds | null;
  /** The most that is expected to be taken at once. */
  readonly peakBytes: number;
}

/** Under which name a rate is kept, and what a token of this training takes. */
export interface Pace {
  readonly name: string;
  /** Operations. */
  readonly flopsPerToken: number;
}

/** What an hour of the run costs. */
export interface Pricing {
  /** Devices of all machines: what is counted in GPU-hours. */
  readonly gpus: number;
  /** US dollars per hour of all machines; `null` if it is not known. */
  readonly usdPerHour: number | null;
  /** Who says so: `--price`, or the declaration of the machine. */
  readonly by: 'option' | 'machine' | null;
  /** Where the price is from, and of when. */
  readonly priced: string | null;
}

export interface PlanCost extends Pricing {
  /** US dollars, and hours of devices; `null` if the time or the price is not known. */
  readonly usd: Seconds | null;
  readonly gpuHours: Seconds | null;
}

/** What a search tries, and how far; and who won, where a run has found out. */
export interface PlannedSearch {
  readonly name: string;
  readonly method: SearchMethod;
  /** `quality.rouge_l` */
  readonly by: string;
  readonly higherIsBetter: boolean;
  /** The values of each trial, by matrix. */
  readonly trials: readonly Readonly<Record<string, Value>>[];
  /** So many trials train up to this share of their steps; none where no trial ends early, or all is done. */
  readonly rounds: readonly Round[];
  /** Its place among the trials, from 0; left out as long as it is not known. */
  readonly winner?: number;
  /** In the order of the trials; left out as long as the winner is not known. */
  readonly outcomes?: readonly TrialOutcome[];
}

export type PlannedRanks = Ranks & Pick<AccelerateRun, 'bf16Unknown'>;

/** Between the machines of a training that several share. */
export interface PlannedNetwork {
  /** In one direction, as a data sheet has it: what times are computed with, and what the ends of their intervals are. */
  readonly bytesPerSecond: number;
  readonly slowest: number;
  readonly fastest: number;
  /** Whether the machine declares it, or others that are rented out with as many such devices, as `like` does, or nobody. */
  readonly from: 'machine' | 'others' | 'default';
  readonly like?: string;
}

export interface Plan {
  readonly version: 1;
  readonly pipeline: string;
  readonly engine: EngineName;
  /** Who set it: `--engine`, the pipeline, or nobody. */
  readonly engineSetBy: EngineRequest['by'];
  /** Of the accelerate engine: where it computes. */
  readonly ranks?: PlannedRanks;
  /** There only where trainings are timed that several machines share. */
  readonly network?: PlannedNetwork;
  readonly machine: {
    readonly name: string;
    readonly memoryBytes: number;
    /** What the solver may use: the memory less a margin. */
    readonly availableBytes: number;
    readonly devices: readonly { readonly name: string; readonly memoryBytes: number }[];
  };
  /** Name and version: `onnx 1.30.0`; of the accelerate engine, `accelerate` and the versions of its packages. */
  readonly runtime: string;
  /** Who set it: `--runtime`, the pipeline, or nobody. */
  readonly runtimeSetBy: RuntimeRequest['by'];
  /** Left out where tensors lie in the memory of the machine. */
  readonly device?: PlannedDevice;
  /** Whether a run of this plan can begin. */
  readonly valid: boolean;
  readonly stages: readonly PlannedStage[];
  readonly totals: {
    /** The stage that needs most memory, each in its own process; its time is that of one after another. */
    readonly peakBytes: number | null;
    readonly seconds: Seconds | null;
    readonly diskBytes: number;
  };
  readonly parallel: ParallelPlan;
  /** Left out where nothing is searched. */
  readonly search?: PlannedSearch;
  readonly cost: PlanCost;
  /** What has to be fetched before or while a run does this: its bytes, and their time; left out if there is nothing. */
  readonly download?: { readonly bytes: number; readonly seconds: Seconds };
  readonly budget: readonly BudgetLine[];
  /** Models that are planned by their shape alone; left out if there are none. A run needs their weights. */
  readonly shapes?: readonly ModelShape[];
  /** Files of the Hub that are not here yet, which the run fetches before or while it does this; left out if there are none. */
  readonly fetch?: readonly {
    readonly kind: 'model' | 'dataset';
    readonly id: string;
    readonly revision: string;
    readonly commit: string;
    readonly files: number;
    readonly bytes: number;
  }[];
  readonly diagnostics: readonly Diagnostic[];
}
