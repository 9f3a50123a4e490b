/** Where tests plan and run: in `.ftp/tests` of the working directory, with a store and releases of their own. */
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import { makeFolders } from '../../../language/host/node-folders.js';
import { prepareCompiled } from '../../../pipeline/prepare/index.js';
import { layoutIn } from '../../../pipeline/store/index.js';
import { answered } from '../../insight/checklist/index.js';
import type { PlanResult, RunResult, TestRunner, TestSettings } from '../../pipeline-tests/index.js';
import type { CliContext } from '../cli-context.js';
import { execute } from '../execute.js';

export function testRunner(context: CliContext): TestRunner {
  const { host } = context;
  const own = { ...host, cwd: join(host.cwd, '.ftp', 'tests') };
  keepMeasurements(own.cwd);
  const plans = new Map<string, Promise<PlanResult>>();
  const runs = new Map<string, Promise<RunResult>>();
  let stopped = false;
  return {
    clock: host.clock,
    stopped: () => stopped,
    plan: (compiled, settings) =>
      once(plans, settings, async () => {
        const runs = { cwd: own.cwd };
        const { plan, diagnostics } = await prepareCompiled(host, compiled, settings, { runs });
        const { program, analysis, sources } = compiled;
        const checklist =
          program && analysis && plan && (await answered(host, { program, analysis, sources, plan }));
        return { plan, checklist, diagnostics: [...diagnostics, ...(plan?.diagnostics ?? [])] };
      }),
    run: async (settings) => {
      // What runs changes what a plan finds done.
      plans.clear();
      const file = resolve(host.cwd, settings.pipeline);
      const ran = await once(runs, settings, () =>
        runQuietly({ ...context, host: own }, file, settings, host.cwd),
      );
      stopped ||= ran.status === 'interrupted';
      return ran;
    },
  };
}

/** Tests with the same settings share what they lead to. */
function once<T>(known: Map<string, Promise<T>>, settings: TestSettings, make: () => Promise<T>): Promise<T> {
  const key = JSON.stringify(settings);
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

/** `cwd` is where the command was given: what people read starts there. */
async function runQuietly(context: CliContext, file: string, settings: TestSettings, cwd: string) {
  const diagnostics: Diagnostic[] = [];
  let seconds = 0;
  const { status, stages } = await execute(
    context,
    { file, params: settings.params, memoryBytes: settings.memoryBytes, verify: false },
    {
      event: (event) => {
        if (event.type === 'run.finished') seconds = event.seconds;
      },
      diagnostic: (found) => void diagnostics.push(seenFrom(cwd, found)),
      makeRoom: () => {},
      printsDiagnostics: false,
      close: () => {},
    },
  );
  return { status, seconds, stages, diagnostics };
}

/** What the planner measures it keeps next to a store; where none can be made, it measures again. */
function keepMeasurements(cwd: string): void {
  try {
    makeFolders(layoutIn(cwd).root);
  } catch {
    // A run says so when it needs the disk.
  }
}

/** A run in the tests' folder names what lies outside of it by its whole path. */
function seenFrom(cwd: string, found: Diagnostic): Diagnostic {
  const { at } = found;
  if (at === undefined || !isAbsolute(at.file)) return found;
  const file = relative(cwd, at.file);
  return file.startsWith('..') ? found : { ...found, at: { ...at, file } };
}
