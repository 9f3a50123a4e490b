/** What `ftpc eject` needs before it writes: the plan of the target, and the rows that the training reads. */
import { tryPython } from '../../compute/accelerate/environment.js';
import { userProblem } from '../../compute/models/user-problem.js';
import { isError } from '../../language/diagnostics/types.js';
import type { AccelerateRun } from '../../language/ir/engines.js';
import type { RunStatus } from '../../language/ir/events.js';
import type { Program, Stage } from '../../language/ir/program.js';
import type { Plan } from '../../pipeline/planner/plan-json.js';
import {
  decideEngine,
  type PlanRequest,
  type PlanScope,
  type Preparation,
  prepare,
} from '../../pipeline/prepare/index.js';
import { openStore } from '../../pipeline/store/index.js';
import type { CliContext } from './cli-context.js';
import { EXIT } from './command.js';
import { diagnosticsPrinter, printDiagnostics } from './diagnostics-printer.js';
import { execute } from './execute.js';
import { linesView } from './progress/views.js';

interface Ejectable {
  readonly prepared: Preparation;
  readonly program: Program;
  readonly plan: Plan;
  readonly engine: AccelerateRun;
  readonly stage: string;
}

/** `stageOf` says which stage is asked for. What data and format stages have not made yet is made, and planned with. */
export async function ejectable(
  context: CliContext,
  request: PlanRequest,
  stageOf: (prepared: Preparation) => string,
): Promise<Ejectable | { readonly status: RunStatus }> {
  const { host } = context;
  // what is ejected runs elsewhere: where no Python is here, it is planned for the packages that ftpc installs
  const scope: PlanScope = 'code' in tryPython(host, request.python) ? { speed: 'nominal' } : {};
  const first = await planned(context, request, scope);
  if ('status' in first) return first;
  const stage = stageOf(first);
  for (const name of missingRows(context, first, stage)) {
    const { file, params } = request;
    const view = linesView(context, context.err);
    const { status } = await execute(
      context,
      { file, params, verify: false, only: name, rowsOnly: true },
      view,
    );
    if (status !== 'done') return { status };
  }
  const prepared = await planned(context, request, scope);
  if ('status' in prepared) return prepared;
  const { program, plan, compiled } = prepared;
  const { engine } = await decideEngine(host, {
    ...{ options: request, program: compiled.program, analysis: compiled.analysis },
    speed: scope.speed,
  });
  if (engine.name === 'embedded') throw new Error('a plan of the accelerate engine was made without it');
  return { prepared, program, plan, engine, stage };
}

type Planned = Preparation & Required<Pick<Preparation, 'program' | 'plan'>>;

async function planned(
  context: CliContext,
  request: PlanRequest,
  scope: PlanScope,
): Promise<Planned | { readonly status: RunStatus }> {
  const prepared = await prepare(context.host, request, scope);
  const { program, plan, diagnostics, compiled } = prepared;
  const all = [...diagnostics, ...(plan?.diagnostics ?? [])];
  if (program === undefined || plan === undefined || all.some(isError)) {
    await printDiagnostics(context, all, compiled.sources);
    return { status: 'failed' };
  }
  return { ...prepared, program, plan };
}

/** Data and format stages that this one reads and that have no output yet; the last ones, since a run makes what they read. */
function missingRows({ host }: CliContext, { program, plan }: Planned, name: string): readonly string[] {
  const store = openStore(host.cwd, host.store);
  const inputs = program.stages.find((stage) => stage.name === name)?.inputs ?? [];
  const isMade = ({ name: input }: Stage): boolean => {
    const key = plan.stages.find((stage) => stage.name === input)?.key;
    return key !== undefined && store.find(key) !== undefined;
  };
  return program.stages
    .filter((stage) => inputs.includes(stage.name) && stage.kind === 'format' && !isMade(stage))
    .map(({ name: input }) => input);
}

/** Runs what may fail for a reason of the user's, which is printed with its place. */
export async function printed(
  context: CliContext,
  { prepared }: Ejectable,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const problem = userProblem(error);
    if (problem === undefined) throw error;
    const printer = await diagnosticsPrinter(context, prepared.lints.sources);
    for (const text of printer.pretty([problem])) context.err(text);
    return EXIT.error;
  }
}
