/** The definition of a stage kind, and the context in which a stage runs. */

import type { Diagnostic } from '../diagnostics/types.js';
import type { Host } from '../host/host.js';
import type { StageEvent } from '../ir/events.js';
import type { HeldWeights } from '../ir/held-weights.js';
import type { OutputFolder, StageResult, WorkFolder } from '../ir/outputs.js';
import type { RuntimeName } from '../ir/runtimes.js';
import type { Stage, StageKind } from '../ir/types.js';

/** How a base is trained: LoRA, LoRA over a 4-bit base, every weight, or only a classification head. */
export const METHODS = ['lora', 'qlora', 'full', 'head'] as const;
export type Method = (typeof METHODS)[number];

export const isMethod = (value: unknown): value is Method => (METHODS as readonly unknown[]).includes(value);

/** Whether the method trains low-rank factors, so that rank and alpha mean something. */
export const hasFactors = (method: string | undefined): boolean => method !== 'full' && method !== 'head';

/** What the planner chose for a train stage; other kinds leave it nothing to choose. */
export interface TrainPlan {
  readonly method: Method;
  readonly microBatch: number;
  /** Micro batches of one optimiser step. */
  readonly accumulation: number;
  /** Longest row in tokens; longer rows are dropped and reported. */
  readonly maxLength: number;
  readonly rank: number;
  readonly alpha: number;
  /** Blocks, from the first on, that are recomputed whole in the backward pass. Does not change results. */
  readonly checkpointedBlocks: number;
  /** Blocks that recompute at least their MLP; default: `checkpointedBlocks`. Does not change results. */
  readonly recomputedMlps?: number;
  /** Blocks that recompute at least their attention weights; default: `recomputedMlps`. Does not change results. */
  readonly recomputedAttention?: number;
  /** Read the base from its files, one block at a time, instead of keeping it in memory. Does not change results. */
  readonly pagedWeights?: boolean;
  /** Hold the base as float32 and decode it once, not in every pass. Does not change results. */
  readonly materialised?: boolean;
  /** Tokens whose logits are computed at a time. */
  readonly logitsChunk: number;
  /** Entries of the vocabulary whose logits are computed at a time; default: all. */
  readonly vocabularyShard?: number;
  /** Share of a paged optimiser's state that is kept in a file, above 0 and up to 1; default: all of it is in memory. */
  readonly offloadedState?: number;
}

/** A complete output of an earlier stage. */
export interface Artefact {
  readonly stage: Stage;
  /** Absolute folder of the store entry. */
  readonly path: string;
  /** Key of the store entry. */
  readonly key: string;
  readonly result: StageResult;
}

export interface StageContext {
  readonly stage: Stage;
  /** Every stage of the program that this one can reach, by name. */
  readonly inputs: Readonly<Record<string, Artefact>>;
  /** Folder of the pipeline file; paths in its settings are relative to it. */
  readonly folder: string;
  readonly host: Host;
  readonly output: OutputFolder;
  readonly work: WorkFolder;
  readonly chosen?: TrainPlan;
  /** How weights are held where nothing is trained; default: as float32 in an evaluation, else as stored. */
  readonly held?: HeldWeights;
  /** Store key of the output. */
  readonly key: string;
  /** The tensor runtime that computes. */
  readonly runtime: RuntimeName;
  /** Threads that it may use. */
  readonly threads: number;
  /** The pipeline's limit, in bytes, for tensors on a device; default: no limit. */
  readonly deviceMemory?: number;
  emit(event: StageEvent): void;
  /** Reports a problem that does not end the stage. */
  readonly warn?: (warning: Diagnostic) => void;
  /** Aborted on SIGINT and SIGTERM: save what can be saved, then throw `signal.reason`. */
  readonly signal: AbortSignal;
}

/** Runs a stage to its end, or throws a `UserError`, a `ModelError`, or the signal's reason. */
export type RunStage = (context: StageContext) => Promise<StageResult>;

export interface StageDefinition {
  readonly kind: StageKind;
  /** Part of the cache key: raise it when the same settings would produce a different output. */
  readonly version: number;
  /** Loaded only when the stage runs. */
  readonly load: () => Promise<RunStage>;
}
