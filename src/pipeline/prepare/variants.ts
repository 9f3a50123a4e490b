/** A pipeline that is planned several times, each time with something else: nothing is looked up or measured twice. */
import { compile } from '../../language/compile.js';
import type { Host } from '../../language/host/host.js';
import type { Program, Stage, Values } from '../../language/ir/program.js';
import { type PlanOptions, plan } from '../planner/plan.js';
import { neverResumable, type PlanStore } from '../planner/plan-context.js';
import type { Plan } from '../planner/plan-json.js';
import { surveyOnce } from '../planner/plan-session.js';
import type { Speed } from '../planner/speed.js';
import { openStore } from '../store/index.js';
import { readyToPlan } from './prepare.js';
import type { PlanRequest, PlanScope, Preparation } from './request.js';

export interface Variants {
  readonly prepared: Preparation;
  /** Absent if anything is wrong. */
  readonly ready?: {
    readonly program: Program;
    readonly host: Host;
    readonly engine: PlanOptions['engine'];
    planOf(program: Program, options?: Partial<PlanOptions>): Promise<Plan>;
  };
}

export async function openVariants(
  disk: Host,
  request: PlanRequest,
  scope: PlanScope = { shapes: true },
): Promise<Variants> {
  const compiled = compile(disk, request.file, { params: request.params });
  const { unplanned: prepared, ready } = await readyToPlan(disk, compiled, request, scope);
  if (ready === undefined) return { prepared };
  const { program, host, options } = ready;
  const shared = {
    survey: surveyOnce(),
    speeds: new Map<string, Speed>(),
    store: withoutTrainings(openStore(host.cwd, host.store)),
  };
  return {
    prepared,
    ready: {
      program,
      host,
      engine: options.engine,
      planOf: (variant, more) => plan(variant, host, { ...options, ...shared, ...more }),
    },
  };
}

/** What has run tells how long rows are; a training is planned as if it had not. */
const withoutTrainings = (store: PlanStore): PlanStore => ({
  find: (key, options) => {
    const entry = store.find(key, options);
    return entry?.record.kind === 'train' ? undefined : entry;
  },
  resumable: neverResumable,
  begun: () => [],
});

/** The program with another stage of this name. */
export const withStage = (program: Program, name: string, change: (stage: Stage) => Stage): Program => ({
  ...program,
  stages: program.stages.map((stage) => (stage.name === name ? change(stage) : stage)),
});

/** A stage with other values in a setting that is a record. */
export const withSettings = (stage: Stage, name: string, values: Values): Stage => ({
  ...stage,
  settings: { ...stage.settings, [name]: { ...Object(stage.settings[name]), ...values } },
});
