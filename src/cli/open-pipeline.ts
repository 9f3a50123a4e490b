import type { Analysis, CompileResult } from '../compile.js';
import type { Program } from '../ir/types.js';
import type { Plan } from '../planner/types.js';
import type { Wanted } from './prepare.js';
import type { World } from './world.js';

export interface OpenPipeline {
  readonly program: Program;
  readonly analysis: Analysis;
  readonly compiled: CompileResult;
  /** Where it was asked for. */
  readonly plan?: Plan;
}

/**
 * A pipeline that someone asks about. Its mistakes are printed (as JSON on standard output with `json`), and then it is
 * `undefined`; its warnings are not what was asked for.
 */
export async function openPipeline(
  world: World,
  wanted: Wanted,
  { json, planned }: { readonly json: boolean; readonly planned: boolean },
): Promise<OpenPipeline | undefined> {
  const { compile } = await import('../compile.js');
  const compiled = compile(world.host, wanted.file, { params: wanted.params });
  const { program, analysis, diagnostics, sources } = compiled;
  if (program === undefined || analysis === undefined) {
    const { diagnosticsPrinter } = await import('./diagnostics.js');
    const printer = await diagnosticsPrinter(world, sources);
    if (json) world.out(printer.json(diagnostics));
    else for (const text of printer.pretty(diagnostics)) world.err(text);
    return undefined;
  }
  if (!planned) return { program, analysis, compiled };
  const { plan } = await import('../planner/plan.js');
  return { program, analysis, compiled, plan: await plan(program, world.host, wanted) };
}
