/** A run as its journal tells it. */

import { damagedJournal } from '../../../language/diagnostics/catalogue/insight.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { Reason, RunStatus, StageAction, StageStatus } from '../../../language/ir/events.js';

export interface TrainStep {
  readonly step: number;
  readonly epoch: number | null;
  readonly loss: number | null;
  readonly learningRate: number | null;
  readonly gradNorm: number | null;
  readonly tokensPerSecond: number | null;
  /** Of the accelerate engine. */
  readonly ranks?: StepRanks;
}

/** How the ranks of a step shared it. */
export interface StepRanks {
  /** One per device. */
  readonly count: number;
  /** `null`: there is one. */
  readonly sharding: string | null;
  /** Of each GPU, bytes that tensors take and that are held for them. */
  readonly memory: readonly { readonly allocated: number; readonly reserved: number }[];
  /** Of each rank on the CPU, resident bytes. */
  readonly resident: readonly number[];
}

export interface Validation {
  readonly step: number;
  readonly loss: number | null;
  readonly best: boolean;
  /** Of answers, by metric; `repetition` where that is watched. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface RunStage {
  readonly name: string;
  readonly kind: string;
  /** `null` for a stage that was never begun. */
  readonly action: StageAction | null;
  /** `unfinished`: the journal ends before the stage does. */
  readonly status: StageStatus | 'unfinished';
  readonly interrupted: boolean;
  readonly seconds: number | null;
  readonly peakMemoryBytes: number | null;
  /** Key of the output, and what it is made of; `null` if the journal was written by an older version. */
  readonly key: string | null;
  readonly parts: Readonly<Record<string, string>> | null;
  readonly reasons: readonly Reason[];
  readonly metrics: Readonly<Record<string, number>>;
  /** Rows that were not kept, by the reason; `null` if the stage keeps none, or the journal is of an older version. */
  readonly dropped: Readonly<Record<string, number>> | null;
  readonly outputs: Readonly<Record<string, string>>;
  /** Training: the whole curve of what the stage made, also where it began from a checkpoint or was cached. */
  readonly steps: readonly TrainStep[];
  readonly validations: readonly Validation[];
}

/** Lines of a journal that cannot be read, from 1. */
interface Damage {
  readonly lines: readonly number[];
  /** The last line was cut off: a kill, or a power cut. */
  readonly torn: boolean;
}

export interface Run {
  readonly id: string;
  /** As it was asked for. */
  readonly pipeline: string;
  readonly params: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly started: number | null;
  readonly engine: string;
  readonly runtime: string;
  /** Of the accelerate engine: devices of each node, and nodes. */
  readonly ranks?: { readonly devices: number; readonly nodes: number };
  readonly ftpc: string;
  /** `unfinished`: it was killed, or still runs. */
  readonly status: RunStatus | 'unfinished';
  readonly seconds: number | null;
  readonly stages: readonly RunStage[];
  /** Messages of the errors that ended it. */
  readonly errors: readonly string[];
  readonly damage: Damage | null;
}

export const damageOf = ({ id, damage }: Run): readonly Diagnostic[] =>
  damage === null ? [] : [damagedJournal(`.ftp/runs/${id}/journal.jsonl`, damage.lines, damage.torn)];
