/** Full training, LoRA and QLoRA of each train stage side by side, each planned as well as the machine allows. */
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { Program, Stage } from '../../language/ir/program.js';
import { METHODS, type Method } from '../../language/schemas/methods.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { fitsIn, tighter } from '../planner/memory-budget.js';
import { nothingToCompare } from '../planner/plan-diagnostics.js';
import type { Plan, PlannedStage } from '../planner/plan-json.js';
import type { PlanRequest, Preparation } from './request.js';
import { openVariants, withStage } from './variants.js';

/** In the order in which they are shown. */
const COMPARED = ['full', 'lora', 'qlora'] as const satisfies readonly Method[];

export interface MethodFigures extends Pick<PlannedStage, 'peak' | 'seconds' | 'chosen'> {
  readonly method: Method;
  readonly fits: boolean;
  readonly trainableParameters: number | null;
  readonly totalParameters: number | null;
  /** Of what is trained, in float32: an adapter, or a model. */
  readonly outputBytes: number | null;
  /** The same with the model sharded over the devices, where each would have a replica of it. */
  readonly sharded?: Pick<PlannedStage, 'peak' | 'seconds'>;
  /** Bytes that it needs more than there are, where it does not fit. */
  readonly lackingBytes: number | null;
}

export interface MethodComparison {
  readonly version: 1;
  readonly pipeline: string;
  readonly machine: Plan['machine'];
  readonly runtime: string;
  readonly stages: readonly { readonly name: string; readonly methods: readonly MethodFigures[] }[];
}

interface Compared {
  readonly prepared: Preparation;
  readonly diagnostics: readonly Diagnostic[];
  readonly comparison?: MethodComparison;
}

export async function compareMethods(host: Host, request: PlanRequest): Promise<Compared> {
  const { prepared, ready } = await openVariants(host, request);
  if (ready === undefined) return { prepared, diagnostics: prepared.diagnostics };
  const { program, engine, planOf } = ready;
  const stages = program.stages.filter(isComparable);
  if (stages.length === 0)
    return { prepared, diagnostics: [...prepared.diagnostics, nothingToCompare(program.file)] };
  const plans: Plan[] = [];
  const sharded: (Plan | undefined)[] = [];
  for (const method of COMPARED) {
    const variant = under(program, stages, method);
    const planned = await planOf(variant);
    plans.push(planned);
    const isReplicated = engine?.name === 'accelerate' && hasReplicas(planned);
    sharded.push(
      isReplicated ? await planOf(variant, { engine: { ...engine, sharding: 'fsdp' } }) : undefined,
    );
  }
  const [first] = plans;
  if (first === undefined) return { prepared, diagnostics: prepared.diagnostics };
  // what keeps a base from being read, which is the same for all
  const unread = stages.some(({ name }) =>
    first.stages.some((one) => one.name === name && one.peak === null),
  );
  return {
    prepared,
    diagnostics: [...prepared.diagnostics, ...(unread ? first.diagnostics : [])],
    comparison: {
      version: 1,
      pipeline: program.name,
      machine: first.machine,
      runtime: first.runtime,
      stages: stages.map(({ name }) => ({
        name,
        methods: COMPARED.flatMap((method, index) => {
          const figures = plans[index] && figuresOf(plans[index], name, method);
          const other = sharded[index]?.stages.find((one) => one.name === name);
          if (figures === undefined) return [];
          return [other === undefined ? figures : { ...figures, sharded: sharedFigures(other) }];
        }),
      })),
    },
  };
}

const sharedFigures = ({ peak, seconds }: PlannedStage) => ({ peak, seconds });

/** The planner takes them where they fit, since nothing is gathered then: a choice of speed that only some methods may have. */
const hasReplicas = ({ ranks, stages }: Plan): boolean =>
  ranks?.sharding === 'auto' && stages.some(({ chosen }) => chosen?.sharding === 'ddp');

/** Prompts, prefixes and bottlenecks have no 4-bit kind, and an adapter to continue from is one of LoRA. */
const isComparable = (stage: Stage): boolean => {
  if (stage.kind !== 'train' || stage.preset === 'head') return false;
  const { adapter, prompt, prefix, start } = settingsOf(stage, 'train');
  return [adapter, prompt, prefix, start].every((one) => one == null);
};

/** The method is settled, and nothing that takes its place may be listed. */
const under = (program: Program, stages: readonly Stage[], method: Method): Program =>
  stages.reduce(
    (changed, { name }) =>
      withStage(changed, name, (stage) => ({
        ...stage,
        preset: method,
        settings: { ...stage.settings, fallback: withoutMethods(stage) },
      })),
    program,
  );

const withoutMethods = (stage: Stage) =>
  settingsOf(stage, 'train').fallback.filter(({ call }) => !METHODS.some((name) => name === call));

function figuresOf(plan: Plan, name: string, method: Method): MethodFigures | undefined {
  const stage = plan.stages.find((one) => one.name === name);
  if (stage === undefined) return undefined;
  const { peak, seconds, chosen, scale, limits } = stage;
  const trained = scale?.trainableParameters ?? null;
  const budget = { availableBytes: plan.machine.availableBytes, device: plan.device, limit: limits?.memory };
  const fits =
    peak !== null &&
    // what a budget allows is held to what is expected where nothing else keeps it
    (fitsIn(peak, budget) || (limits?.memory !== undefined && fitsIn(peak, { ...budget, isLenient: true })));
  const tight = peak === null || fits ? undefined : tighter(peak, budget);
  return {
    method,
    fits,
    trainableParameters: trained,
    totalParameters: scale?.totalParameters ?? null,
    peak,
    seconds,
    chosen,
    outputBytes: trained === null ? null : 4 * trained,
    lackingBytes: tight === undefined ? null : tight.needs.high - tight.available,
  };
}
