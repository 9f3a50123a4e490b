import { type CompileResult, compile } from '../../language/compile.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { ftpcVersion } from '../../language/host/version.js';
import { EMBEDDED } from '../../language/ir/engines.js';
import type { Program } from '../../language/ir/program.js';
import type { Plan } from '../../pipeline/planner/plan-json.js';
import {
  decideEngine,
  decideRuntime,
  type PlanRequest,
  type PlanScope,
  prepareCompiled,
} from '../../pipeline/prepare/index.js';
import type { RunOutcome, RunRequest } from '../../pipeline/run/request.js';
import { runPipeline } from '../../pipeline/run/run.js';
import type { Decided } from '../insight/search/table.js';
import type { Pipeline } from '../insight/settings/explain.js';
import { type CliContext, lineStart } from './cli-context.js';
import { diagnosticsPrinter, findingsLine } from './diagnostics-printer.js';
import { type Preemption, watchSignals } from './interrupts.js';
import type { RunView } from './progress/views.js';

interface ExecuteRequest extends PlanRequest {
  readonly verify: boolean;
  /** Further tries for what may pass; default: none. */
  readonly retries?: number;
  /** What tells the run to end, besides SIGTERM and Ctrl-C. */
  readonly preemption?: Preemption;
  /** Only this stage and what it needs. */
  readonly only?: string;
  /** That stage makes rows: nothing computes with a model, so that it matters not which engine is here. */
  readonly rowsOnly?: boolean;
  /** Told what is to run, before any of it does. */
  readonly planned?: (pipeline: Pipeline | undefined) => void;
}

export interface Executed extends RunOutcome {
  readonly threads: number;
  readonly plan?: Plan;
  /** How the search came out, where there is one. */
  readonly searched?: Decided;
  readonly program?: Program;
  /** As it was read for the run; left out where it has errors. */
  readonly pipeline?: Pipeline;
}

/** What is planned where only rows are made: an engine that is not here is no error. */
export const ROWS_ONLY: PlanScope = { speed: 'nominal' };

/** Runs a pipeline on this machine, shown by `view`. */
export async function execute(
  context: CliContext,
  request: ExecuteRequest,
  view: RunView,
): Promise<Executed> {
  const { host } = context;
  const { file, params, verify, only, threads = host.machine().cores } = request;
  const compiled = compile(host, file, { params });
  // the run says first what computes, and the pipeline may say it
  const { program, analysis, sources } = compiled;
  const runtime = await decideRuntime(host, request.runtime, program);
  // what is wrong with it, its preparation says
  const { engine } = request.rowsOnly
    ? { engine: EMBEDDED }
    : await decideEngine(host, { options: request, program, analysis });
  const interrupts = watchSignals(
    (line) => {
      view.makeRoom();
      context.err(lineStart(context) + line);
    },
    { notice: request.notice, ...request.preemption, cwd: host.cwd },
  );
  let printer = await diagnosticsPrinter(context, compiled.sources);
  let plan: Plan | undefined;
  let read: Pipeline | undefined;
  let searched: Executed['searched'];
  try {
    const outcome = await runPipeline(
      {
        pipeline: file,
        host,
        engine,
        runtime,
        ftpc: ftpcVersion(host),
        params,
        commit: only === undefined ? await commitOf(compiled) : undefined,
        threads,
        verify,
        retries: request.retries,
        only: only === undefined ? undefined : [only],
        prepare: async (_store, again) => {
          const prepared = await prepareCompiled(host, compiled, request, request.rowsOnly ? ROWS_ONLY : {});
          const { lints } = prepared;
          plan = prepared.plan;
          if (analysis !== undefined) read = { analysis, sources, plan, lints, params };
          printer = await diagnosticsPrinter(context, lints.sources);
          // Rows that are looked at are not trained on yet; of what is known by now, all is said.
          if (only !== undefined || again !== undefined) return prepared;
          request.planned?.(read);
          tellFindings(lints.diagnostics, file, view, context);
          const errors = [...lints.diagnostics.filter(isError), ...(await gateOf(host, compiled, plan))];
          if (errors.length === 0) return prepared;
          return { diagnostics: [...prepared.diagnostics, ...errors] };
        },
        describe: (diagnostic) => printer.fields(diagnostic),
      },
      {
        event: (event) => {
          if (event.type === 'search.decided') searched = event;
          view.event(event);
        },
        diagnostic: (diagnostic) => {
          view.diagnostic(diagnostic);
          view.makeRoom();
          if (view.printsDiagnostics) for (const text of printer.pretty([diagnostic])) context.err(text);
        },
      },
      interrupts,
    );
    return { ...outcome, threads, plan, pipeline: read, searched, ...(program && { program }) };
  } finally {
    interrupts.release();
    view.close();
  }
}

/** A machine that reads the events asks `check --json` for them. */
function tellFindings(
  found: readonly Diagnostic[],
  file: string,
  { printsDiagnostics }: RunView,
  context: CliContext,
): void {
  if (!printsDiagnostics) return;
  for (const line of findingsLine(found, file)) context.err(context.colours.err.dim(line));
}

/** Requirements of budgets on the production checklist. */
async function gateOf(host: Host, { program, analysis, sources }: CompileResult, plan: Plan | undefined) {
  const asks = program?.budgets.some(({ requires }) =>
    requires.some(({ text }) => text.includes('checklist')),
  );
  if (program === undefined || analysis === undefined || plan === undefined || asks !== true) return [];
  const { checklistGate } = await import('../insight/checklist/index.js');
  return checklistGate(host, { program, analysis, sources, plan });
}

/** What git has of the pipeline and of the files that it imports. */
async function commitOf({ analysis }: CompileResult): Promise<RunRequest['commit']> {
  if (analysis === undefined) return undefined;
  const { checkedOut } = await import('./review/git.js');
  return checkedOut([analysis.main.path, ...[...analysis.modules.values()].map(({ path }) => path)]);
}
