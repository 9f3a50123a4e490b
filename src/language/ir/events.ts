/** The events of a run: one JSON object a line under `--json`, the journal, and what the terminal shows. Contract: docs/schema/events.json. */
import type { StageKind } from './types.js';

export type StageAction = 'run' | 'resume' | 'cached';
export type StageStatus = 'done' | 'cached' | 'failed' | 'blocked';
export type RunStatus = 'done' | 'failed' | 'gate_failed' | 'budget_exceeded' | 'interrupted';

export interface Reason {
  readonly code: string;
  readonly path?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What a stage reports while it works. */
export type StageEvent =
  | {
      readonly type: 'stage.progress';
      readonly stage: string;
      readonly done: number;
      readonly total: number;
      readonly unit: string;
      /** What is being done, for people. */
      readonly label?: string;
      /** Training: one event an optimiser step. */
      readonly step?: number;
      readonly epoch?: number;
      readonly loss?: number;
      readonly learningRate?: number;
      readonly gradNorm?: number;
      readonly tokensPerSecond?: number;
    }
  | {
      readonly type: 'validation';
      readonly stage: string;
      readonly step: number;
      readonly loss: number;
      readonly best: boolean;
    }
  | {
      readonly type: 'checkpoint.saved';
      readonly stage: string;
      readonly step: number;
      readonly path: string;
    }
  | {
      readonly type: 'recovery';
      readonly stage: string;
      readonly cause: string;
      readonly change: Readonly<Record<string, unknown>>;
    }
  | { readonly type: 'note'; readonly stage: string; readonly text: string };

export interface StageSummary {
  readonly name: string;
  readonly kind: StageKind;
  readonly status: StageStatus;
  /** Its status is `failed` because someone ended the run; it resumes from its checkpoint. */
  readonly interrupted?: true;
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  readonly outputs: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
}

export type RunEvent =
  | StageEvent
  | {
      readonly type: 'run.started';
      readonly version: 1;
      readonly runId: string;
      readonly pipeline: string;
      readonly engine: string;
      readonly runtime: string;
      readonly ftpc: string;
      /** `-p name=value` as typed; secrets are no parameters. */
      readonly params?: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'stage.started';
      readonly stage: string;
      readonly kind: StageKind;
      readonly action: StageAction;
      readonly reasons: readonly Reason[];
      /** Of the output, and what it is a digest of: two runs differ where these do, also where a stage failed. */
      readonly key: string;
      readonly parts: Readonly<Record<string, string>>;
    }
  | ({ readonly type: 'stage.finished'; readonly stage: string } & Omit<StageSummary, 'name'>)
  | ({ readonly type: 'diagnostic' } & Readonly<Record<string, unknown>>)
  | {
      readonly type: 'run.finished';
      readonly status: RunStatus;
      readonly seconds: number;
      readonly stages: readonly StageSummary[];
    };
