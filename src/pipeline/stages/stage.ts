/** What runs a stage: its definition, and the context that it runs in. */
import type { AccelerateEngine } from '../../compute/accelerate/engine.js';
import type { NewTokens } from '../../compute/models/added-tokens.js';
import type { DequantisingThread } from '../../compute/models/weights/dequantising-threads.js';
import type { DoubleNf4 } from '../../compute/models/weights/nf4-quantise.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { Json } from '../../language/host/json.js';
import type { StageEvent } from '../../language/ir/events.js';
import type { OutputFolder, StageResult, WorkFolder } from '../../language/ir/outputs.js';
import type { Stage } from '../../language/ir/program.js';
import type { RuntimeName, WeightResidency } from '../../language/ir/runtimes.js';
import type { PublishElsewhere } from '../deploy/elsewhere.js';
import type { OpenEndpoint } from './endpoint.js';
import type { BatchQuestion, EncodedRows } from './format/encoded-rows.js';
import type { TrainPlan } from './train-plan/plan.js';

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
  readonly trainPlan?: TrainPlan;
  /** How weights are held where nothing is trained; default: as float32 in an evaluation, else as stored. */
  readonly residency?: WeightResidency;
  /** Store key of the output. */
  readonly key: string;
  /** The tensor runtime that computes in this process. */
  readonly runtime: RuntimeName;
  /** The processes that compute instead of the tensor runtime; default: none, the engine is the embedded one. */
  readonly engine?: AccelerateEngine;
  /** Threads that it may use. */
  readonly threads: number;
  /** Other stages compute at the same time. */
  readonly crowded?: boolean;
  /** The pipeline's limit, in bytes, for tensors on a device; default: no limit. */
  readonly deviceMemory?: number;
  /** Publishes to places that are no folder; it is given to stages that run. */
  readonly publishElsewhere?: PublishElsewhere;
  /** Asks servers that answer in OpenAI's form; it is given to stages that run. */
  readonly openEndpoint?: OpenEndpoint;
  /** Starts threads that encode rows next to a format stage; default: there are none. */
  readonly encodingThreads?: (task: EncoderTask) => readonly EncodingThread[];
  /** Starts threads that quantise a base for a training; default: there are none. */
  readonly quantisingThreads?: (task: Omit<QuantiserTask, 'cwd'>) => Promise<readonly QuantisingThread[]>;
  /** Starts threads that dequantise a base next to a training; default: there are none. */
  readonly dequantisingThreads?: (count: number) => Promise<readonly DequantisingThread[]>;
  emit(event: StageEvent): void;
  /** Reports a problem that does not end the stage. */
  readonly warn?: (warning: Diagnostic) => void;
  /** Keeps what processes of its own wrote, with the rest of what was printed. */
  printed?(text: string): void;
  /**
   * Tells how much the largest process of its own had at most, in bytes: of the device's memory where it computes on one,
   * or else resident. Several are on devices of their own, so that each counts by itself.
   */
  usesMemory?(bytes: number): void;
  /** Aborted on SIGINT and SIGTERM: save what can be saved, then throw `signal.reason`. */
  readonly signal: AbortSignal;
}

/** What rows of a format stage are encoded by, in a thread as in the stage itself. */
export interface EncoderTask extends Pick<StageContext, 'stage' | 'folder' | 'inputs'> {
  readonly data: Stage;
  readonly cwd: string;
  /** Of labelled rows: the numbers of their labels. */
  readonly numbers: ReadonlyMap<string, number> | undefined;
  /** Rows that are shown solved before others. */
  readonly examples: readonly Json[];
}

/** A thread with an encoder of its own. */
export interface EncodingThread {
  /** It can take another batch. */
  readonly isFree: boolean;
  /** Lines that a data stage wrote, and memory that is handed over; `undefined` where it fails. */
  encode(question: BatchQuestion): Promise<EncodedRows | undefined>;
  end(): Promise<void>;
}

/** The base whose tensors a thread quantises. */
export interface QuantiserTask {
  readonly cwd: string;
  /** Where it is, the seed of weights that are yet to be made, and tokens that are added to it. */
  readonly base: NewTokens & {
    readonly folder: string;
    readonly seed?: number;
  };
  /** Whether other threads are to read what it becomes. */
  readonly shared: boolean;
}

/** A thread that has opened the base. */
export interface QuantisingThread {
  /** The tensor of this name in NF4; `undefined` where it fails. */
  quantise(name: string): Promise<DoubleNf4 | undefined>;
  end(): Promise<void>;
}

/** Thrown instead of the signal's reason where a stage could not save its state in time. */
export class NotSavedError extends Error {
  override readonly name = 'NotSavedError';
  constructor() {
    super('the stage could not save its state in time');
  }
}

/** Runs a stage to its end, or throws a `UserError`, a `ModelError`, or the signal's reason. */
export type RunStage = (context: StageContext) => Promise<StageResult>;

export interface StageDefinition {
  /** Part of the cache key: raise it when the same settings would produce a different output. */
  readonly version: number;
  /** What it computes with tensors: its artefact, which then depends on the runtime, or only a check of it. */
  readonly tensors: 'none' | 'check' | 'artefact';
  /** Loaded only when the stage runs. */
  readonly load: () => Promise<RunStage>;
}
