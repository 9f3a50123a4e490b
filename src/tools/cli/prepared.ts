import type { CompileResult } from '../../language/compile.js';
import type { RuntimeChoice } from '../../language/ir/runtimes.js';
import type { Resolution } from '../../pipeline/lock/index.js';
import type { SavedPlan } from '../../pipeline/planner/saved/index.js';
import type { Plan } from '../../pipeline/planner/types.js';

/** What a pipeline is read and planned with. */
export interface Wanted {
  readonly file: string;
  readonly params: Readonly<Record<string, string>>;
  readonly memoryBytes?: number;
  readonly threads?: number;
  /** What computes; left out, what the pipeline asks for, or `auto`. */
  readonly runtime?: RuntimeChoice;
  /** A machine of the catalogue; this one where left out. */
  readonly machine?: string;
  readonly engine?: string;
  readonly devices?: number;
  /** Refuses whatever is not as the lock says. */
  readonly locked?: boolean;
  /** A saved plan, which is run as it is or not at all. */
  readonly saved?: OpenedPlan;
}

/** A pipeline as it was read and, where it has no errors, planned. */
export type Prepared = CompileResult & Pick<Resolution, 'lock'> & { readonly plan?: Plan };

/** A saved plan, and the name of its file for messages. */
export interface OpenedPlan {
  readonly name: string;
  readonly plan: SavedPlan;
}
