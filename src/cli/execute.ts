import type { Plan } from '../planner/types.js';
import { type RunOutcome, runPipeline } from '../run/index.js';
import { diagnosticsPrinter } from './diagnostics.js';
import { watchSignals } from './interrupts.js';
import { prepare, type Wanted } from './prepare.js';
import type { RunView } from './progress/index.js';
import { ftpcVersion, packageVersion } from './version.js';
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
  const interrupts = watchSignals(world.err);
  let printer = await diagnosticsPrinter(world, new Map());
  let plan: Plan | undefined;
  try {
    const outcome = await runPipeline(
      {
        pipeline: wanted.file,
        host,
        engine: 'embedded',
        runtime: `onnx ${packageVersion(host, 'onnxruntime-node') ?? 'missing'}`,
        ftpc: ftpcVersion(host),
        params: wanted.params,
        threads: wanted.threads ?? host.machine().cores,
        verify: wanted.verify,
        only: wanted.only === undefined ? undefined : [wanted.only],
        prepare: async () => {
          const prepared = await prepare(host, wanted);
          printer = await diagnosticsPrinter(world, prepared.sources);
          plan = prepared.plan;
          return prepared;
        },
        describe: (diagnostic) => printer.fields(diagnostic),
        clock: () => performance.now(),
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
