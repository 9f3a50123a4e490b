/** A saved plan: what `ftpc plan --out` writes and `ftpc run` executes. Contract: docs/schema/saved-plan.json. */
import type { TrainPlan } from '../../../language/schemas/types.js';

export interface SavedStage {
  readonly name: string;
  readonly kind: string;
  readonly key: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly chosen: TrainPlan | null;
}

export interface SavedRepository {
  readonly kind: 'model' | 'dataset';
  readonly id: string;
  readonly revision: string;
  readonly commit: string;
}

export interface SavedSecret {
  readonly name: string;
  readonly env: string;
  /** Whether the variable was set; never what it held. */
  readonly set: boolean;
}

export interface SavedPlan {
  readonly version: 1;
  readonly type: 'ftpc.plan';
  readonly ftpc: string;
  readonly runtime: string;
  /** Relative to the working directory. */
  readonly pipeline: string;
  readonly params: Readonly<Record<string, string>>;
  readonly machine: { readonly memoryBytes: number; readonly threads: number };
  readonly secrets: readonly SavedSecret[];
  /** SHA-256 of the lock file; null where there was none. */
  readonly lock: string | null;
  readonly repositories: readonly SavedRepository[];
  /** What every stage is set to, by stage and setting, and what is required. */
  readonly program: SavedProgram;
  readonly stages: readonly SavedStage[];
}

export interface SavedProgram {
  readonly stages: Readonly<Record<string, SavedSettings>>;
  readonly budgets: Readonly<Record<string, readonly string[]>>;
}

export interface SavedSettings {
  readonly kind: string;
  readonly using: string | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly requires: readonly string[];
}
