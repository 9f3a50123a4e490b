/** What every stage of one plan is looked at with. */

import type { AdapterConfig } from '../../compute/models/adapters/config.js';
import type { RuntimeIdentity } from '../../compute/tensor/runtimes/index.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Digests } from '../../language/host/digests.js';
import type { Host } from '../../language/host/host.js';
import type { RunEngine } from '../../language/ir/engines.js';
import type { Machine } from '../../language/ir/machine.js';
import type { StageRecord } from '../../language/ir/outputs.js';
import type { Program, Stage } from '../../language/ir/program.js';
import type { Span } from '../../language/source/span.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import type { Store } from '../store/index.js';
import type { TensorCounter } from './counted-training.js';
import type { Lengths, SourceSize } from './expected-rows.js';
import type { StageKey } from './keys.js';
import type { PlanMachine } from './machines.js';
import type { PlanDecoder } from './memory/plan-decoder.js';
import type { PlannedDevice, PlannedNetwork, Pricing } from './plan-json.js';
import type { Speed } from './speed.js';
import type { Models, PlannedModel } from './stage-models.js';

export type PlanStore = Pick<Store, 'find' | 'resumable' | 'begun'>;

/** Of a store in which no checkpoint is looked for. */
export const neverResumable: PlanStore['resumable'] = () => false;

export interface PlanContext {
  readonly program: Program;
  readonly host: Host;
  readonly store: PlanStore;
  readonly digests: Digests;
  readonly engine: RunEngine;
  /** Of the tensor runtime, or of the engine where it has none. */
  readonly runtime: RuntimeIdentity;
  readonly machine: PlanMachine;
  /** The declaration of what computes: of the machine that is planned for, or of the GPU that is here. */
  readonly declared?: Machine;
  /** Between machines, where several share a training. */
  readonly network?: PlannedNetwork;
  readonly availableBytes: number;
  readonly pricing: Pricing;
  /** A GPU of this machine that tensors lie on. */
  readonly device?: PlannedDevice;
  /** Bytes of the largest tensor that the GPU takes in one piece, where it has a limit. */
  readonly largestTensor?: number;
  /** Cores of the machine that plans, and threads of a stage that computes with tensors. */
  readonly cores: number;
  readonly threads: number;
  /** Tensors are on a device, which takes one stage at a time. */
  readonly hasDevice: boolean;
  /** Stages at once, as asked for; left out, as many as are quickest. */
  readonly parallel?: number;
  /** Times and memory are those of a machine that is the same everywhere. */
  readonly isNominal: boolean;
  /** Version of the Node that computes; `undefined`: the one that all was measured with, which a nominal machine has. */
  readonly node: string | undefined;
  readonly planDecoder: PlanDecoder;
  /** Counts what PyTorch's tensors take, where its packages are here. */
  readonly count?: TensorCounter;
  readonly models: Models;
  /** Whether what would help a stage that does not fit is searched for. */
  readonly advises: boolean;
  /** Keys of the stages that were looked at so far. */
  readonly keys: Map<string, StageKey>;
  readonly trainPlans: Map<string, TrainPlan>;
  /** Choices that a saved plan made. */
  readonly savedPlans: Readonly<Record<string, TrainPlan>>;
  /** Records of the store, newest first; read when first asked for. */
  records(): readonly StageRecord[];
  /** Keys under which this pipeline's stages were last completed. */
  latest(): ReadonlyMap<string, string>;
  /** Lengths of a split of a format stage. `look` false: only if it costs nothing. */
  lengths(format: string, split: string, look: boolean): Promise<Lengths | undefined>;
  /**
   * The adapter of a train stage over this base; `labels` are those of its rows, which need be given only once. Throws
   * where its settings don't go with the base.
   */
  adapter(stage: Stage, base: PlannedModel, labels?: readonly string[]): AdapterConfig;
  sources(data: string): SourceSize;
  /** The most of them that a data stage outputs. */
  limited(data: string): SourceSize;
  /** `undefined` if nothing can be measured: the machine is not here. */
  speed(): Promise<Speed | undefined>;
  /** `legal.ftp:68` */
  place(span: Span): string;
  report(diagnostic: Diagnostic): void;
}
