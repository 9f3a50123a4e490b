import { isError } from '../../language/diagnostics/types.js';
import { lintReport } from '../../language/lint/index.js';
import type { Plan } from '../../pipeline/planner/types.js';
import { type RunOutcome, runPipeline } from '../../pipeline/run/index.js';
import { diagnosticsPrinter } from './diagnostics.js';
import { watchSignals } from './interrupts.js';
import { decideRuntime, prepare } from './prepare.js';
import type { Wanted } from './prepared.js';
import type { RunView } from './progress/index.js';
import { ftpcVersion } from './version.js';
import type { World } from './world.js';

export interface Execution extends Wanted {
  readonly verify: boolean;
  /** Only this stage and what it needs. */
  readonly only?: string;
}

/** Runs a pipeline on this machine, shown by `view`. */
export async function execute(
  world: World,
  wanted: Execution,
  view: RunView,
): Promise<RunOutcome & { readonly plan?: Plan }> {
  const { host } = world;
  // the run says first what computes, and the pipeline may say it
  const { compile } = await import('../../language/compile.js');
  const { program } = compile(host, wanted.file, { params: wanted.params });
  const runtime = await decideRuntime(host, wanted.runtime, program);
  const interrupts = watchSignals(world.err);
  let printer = await diagnosticsPrinter(world, new Map());
  let plan: Plan | undefined;
  try {
    const outcome = await runPipeline(
      {
        pipeline: wanted.file,
        host,
        engine: 'embedded',
        runtime,
        ftpc: ftpcVersion(host),
        params: wanted.params,
        threads: wanted.threads ?? host.machine().cores,
        verify: wanted.verify,
        only: wanted.only === undefined ? undefined : [wanted.only],
        prepare: async () => {
          const prepared = await prepare(host, wanted);
          plan = prepared.plan;
          const lints = lintReport(prepared, host);
          printer = await diagnosticsPrinter(world, lints.sources);
          // Rows that are looked at are not trained on yet.
          if (wanted.only !== undefined) return prepared;
          const worth = lints.diagnostics.filter(({ severity }) => severity === 'warning');
          // A machine that reads the events asks `check --json` for them.
          if (view.printsDiagnostics) for (const text of printer.pretty(worth)) world.err(text);
          const errors = lints.diagnostics.filter(isError);
          if (errors.length === 0) return prepared;
          return { ...prepared, program: undefined, diagnostics: [...prepared.diagnostics, ...errors] };
        },
        describe: (diagnostic) => printer.fields(diagnostic),
      },
      {
        event: view.event,
        diagnostic: (diagnostic) => {
          view.diagnostic(diagnostic);
          if (view.printsDiagnostics) for (const text of printer.pretty([diagnostic])) world.err(text);
        },
      },
      interrupts,
    );
    return { ...outcome, plan };
  } finally {
    interrupts.release();
    view.close();
  }
}
