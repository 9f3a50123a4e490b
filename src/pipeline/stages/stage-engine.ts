/** The ranks that compute a stage: as the run's engine says, and the stage's plan. */
import type { AccelerateEngine } from '../../compute/accelerate/engine.js';
import type { AccelerateRun, RunEngine } from '../../language/ir/engines.js';
import type { RankLimits } from './train-plan/freedom.js';
import type { TrainPlan } from './train-plan/plan.js';

/** `undefined`: the stage computes in its own process. */
export function stageEngine(engine: RunEngine, plan: TrainPlan | undefined): AccelerateEngine | undefined {
  if (engine.name === 'embedded' || engine.python === undefined) return undefined;
  const { python, versions, device, devices, attention, sharding: asked } = engine;
  const ranks = { python, versions, device, devices, attention, asked, ...nodesOf(engine) };
  return underPlan({ ...ranks, sharding: 'none', offload: false }, plan);
}

/** The same ranks under another plan, as after running out of memory. */
export const underPlan = (engine: AccelerateEngine, plan: TrainPlan | undefined): AccelerateEngine => ({
  ...engine,
  sharding: plan?.sharding ?? 'none',
  offload: plan?.cpuOffload === true,
});

/** What a training that ran out of memory may change. */
export const rankLimits = ({ device, devices, nodes, asked = 'auto' }: AccelerateEngine): RankLimits => ({
  device,
  devices,
  world: devices * (nodes?.count ?? 1),
  sharding: asked,
});

const nodesOf = ({ nodes: count, node, rendezvous }: AccelerateRun): Pick<AccelerateEngine, 'nodes'> =>
  node === undefined || rendezvous === undefined ? {} : { nodes: { count, node, rendezvous } };
