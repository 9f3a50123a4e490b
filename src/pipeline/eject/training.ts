/** What a train stage would give its ranks, written where nobody runs it. */

import type { AccelerateEngine } from '../../compute/accelerate/engine.js';
import type { ReferenceSpec, TrainSpec } from '../../compute/accelerate/spec.js';
import type { AdapterConfig } from '../../compute/models/adapters/config.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { OutputFolder, WorkFolder } from '../../language/ir/outputs.js';
import { isMade } from '../stages/open-models.js';
import type { StageContext } from '../stages/stage.js';
import { writeTraining } from '../stages/train/accelerate/train.js';
import { learnedRows, type TrainTask, trainTask } from '../stages/train/train-task.js';
import { writeCompanions } from '../stages/train/write-result.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import { ejectsOneModel, needsConversion } from './eject-diagnostics.js';

/** The folder of the base in an ejected project. */
export const BASE = 'base';

/** The folder of what goes with trained weights. */
export const COMPANIONS = 'companions';

export interface EjectedTraining {
  /** Its paths are relative to the project. */
  readonly specification: TrainSpec;
  readonly base: EjectedBase;
  /** Rows that are trained on. */
  readonly rows: number;
  readonly hasCompanions: boolean;
}

/** Where the project gets its base from. */
export type EjectedBase =
  /** It is in the project already: its weights were made. */
  | { readonly from: 'project' }
  /** A folder of this machine, or a GGUF file. */
  | { readonly from: 'folder'; readonly path: string }
  /** A repository of the Hub, at a commit. */
  | { readonly from: 'hub'; readonly id: string; readonly commit: string };

type TrainContext = Omit<StageContext, 'output' | 'work' | 'emit' | 'signal'>;

/** Throws a `UserError` or a `ModelError`. */
export async function writeEjected(
  context: TrainContext,
  { plan, engine }: { readonly plan: TrainPlan; readonly engine: AccelerateEngine },
  output: OutputFolder,
): Promise<EjectedTraining> {
  const task = await trainTask(
    { ...context, output, work: NO_WORK, emit: () => {}, signal: new AbortController().signal },
    plan,
  );
  if (task.reference !== undefined)
    throw new UserError(ejectsOneModel(context.stage, task.reference.named.label));
  const { specification, adapter } = writeTraining(output, task, { plan, engine, folder: '.' });
  const conversion = conversionOf(adapter);
  if (conversion !== undefined) throw new UserError(needsConversion(context.stage, conversion));
  const relative = relocated(specification, output.path, isMade(task.base));
  output.write('spec.json', `${JSON.stringify(relative, null, 2)}\n`);
  const hasCompanions = writeCompanions(output, COMPANIONS, task, adapter !== undefined);
  return { specification: relative, base: baseOf(task), rows: learnedRows(task), hasCompanions };
}

/** A task that is only written keeps nothing. */
const NO_WORK: WorkFolder = {
  path: '.',
  commit: async () => {},
  committed: () => [],
  remove: () => {},
  scratch: () => {
    throw new Error('what is ejected is written into its project');
  },
  pages: () => {
    throw new Error('what is ejected has no pages');
  },
};

/** What ftpc makes of the trained tensors, where they are not yet what PEFT reads. */
function conversionOf(adapter: AdapterConfig | undefined): string | undefined {
  if (adapter?.kind === 'lora' && adapter.pissa === true) return '`init: pissa`';
  if (adapter?.kind === 'prefix' && adapter.projection !== undefined) return '`prefix.projection`';
  return undefined;
}

/** The same with the paths that the project has, wherever it is moved. */
function relocated(spec: TrainSpec, folder: string, isMade: boolean): TrainSpec {
  const inside = (path: string): string => path.slice(folder.length + 1);
  const asked = (one: ReferenceSpec | null): ReferenceSpec | null =>
    one && { ...one, file: inside(one.file) };
  const { rows, validation, preferences, steps, adapter, head, model } = spec;
  return {
    ...spec,
    rows: { file: inside(rows.file) },
    validation: validation && { ...validation, file: inside(validation.file) },
    preferences: preferences && {
      ...preferences,
      reference: asked(preferences.reference),
      validation_reference: asked(preferences.validation_reference),
    },
    steps: inside(steps),
    adapter: adapter && { folder: inside(adapter.folder) },
    head: head && { file: inside(head.file) },
    model: { ...model, folder: isMade ? inside(model.folder) : BASE },
  };
}

function baseOf({ base }: TrainTask): EjectedBase {
  if (isMade(base)) return { from: 'project' };
  const { label, folder: path, commit } = base;
  return commit === undefined ? { from: 'folder', path } : { from: 'hub', id: label, commit };
}
