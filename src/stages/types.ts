/** What a stage kind is made of, and what its runner gets. */

import type { Diagnostic } from '../diagnostics/types.js';
import type { StageEvent } from '../ir/events.js';
import type { OutputFolder, StageResult, WorkFolder } from '../ir/outputs.js';
import type { RuntimeName } from '../ir/runtimes.js';
import type { Stage, StageKind } from '../ir/types.js';
import type { Host } from '../source/host.js';

/** How a base is trained: low-rank factors over it, the same over 4 bits, every weight, or a head over labels alone. */
export const METHODS = ['lora', 'qlora', 'full', 'head'] as const;
export type Method = (typeof METHODS)[number];

export const isMethod = (value: unknown): value is Method => (METHODS as readonly unknown[]).includes(value);

/** Whether rank and alpha say something of what is trained. */
export const hasFactors = (method: string | undefined): boolean => method !== 'full' && method !== 'head';

/** What the planner chose for a stage; only train stages leave it anything to choose. */
export interface Chosen {
  readonly method: Method;
  readonly microBatch: number;
  /** Micro batches of one optimiser step. */
  readonly accumulation: number;
  /** Longest row in tokens; rows above it are left out, counted and named. */
  readonly maxLength: number;
  readonly rank: number;
  readonly alpha: number;
  readonly checkpointedBlocks: number;
  /** Blocks that recompute at least their MLP; left out: only those that recompute all. Changes no result. */
  readonly recomputedMlps?: number;
  /** Blocks that recompute at least what their attention's softmax gives; left out: only those that recompute their MLP. */
  readonly recomputedShares?: number;
  /** The base is read from its files a block at a time, over and over, instead of being held: the result is the same. */
  readonly paged?: boolean;
  /** Tokens whose logits exist at one time. */
  readonly headChunk: number;
  /** Share of a paged optimiser's state that stands in a file, above 0; left out: all of it is in memory. */
  readonly stateInFile?: number;
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
  /** Folder of the pipeline file: what relative paths in its settings start from. */
  readonly folder: string;
  readonly host: Host;
  readonly output: OutputFolder;
  readonly work: WorkFolder;
  readonly chosen?: Chosen;
  /** Key that the output will stand under. */
  readonly key: string;
  /** The tensor runtime that computes. */
  readonly runtime: RuntimeName;
  /** Threads that it may use. */
  readonly threads: number;
  /** Bytes that its tensors may take on a device, as the pipeline says; left out: no limit of the pipeline's. */
  readonly deviceMemory?: number;
  emit(event: StageEvent): void;
  /** Of what does not end the stage; left out: nobody is told. */
  readonly warn?: (warning: Diagnostic) => void;
  /** Aborted on SIGINT and SIGTERM: save what can be saved, then throw `signal.reason`. */
  readonly signal: AbortSignal;
}

/** Runs a stage to its end, or throws a `UserError`, a `ModelError`, or the signal's reason. */
export type RunStage = (context: StageContext) => Promise<StageResult>;

export interface StageDefinition {
  readonly kind: StageKind;
  /** Part of the cache key: raised when the same settings would give another output. */
  readonly version: number;
  /** Loaded only when the stage runs. */
  readonly load: () => Promise<RunStage>;
}
