import type { Analysis, CompileResult } from '../../language/compile.js';
import { isError } from '../../language/diagnostics/types.js';
import type { Program } from '../../language/ir/types.js';
import type { Plan } from '../../pipeline/planner/types.js';
import type { Wanted } from './prepared.js';
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
  const { diagnosticsPrinter } = await import('./diagnostics.js');
  const compiled: CompileResult & { readonly plan?: Plan } = planned
    ? await (await import('./prepare.js')).prepare(world.host, wanted)
    : (await import('../../language/compile.js')).compile(world.host, wanted.file, { params: wanted.params });
  const { program, analysis, diagnostics, sources, plan } = compiled;
  const printer = await diagnosticsPrinter(world, sources);
  if (program !== undefined && analysis !== undefined && planned === (plan !== undefined)) {
    // A stage that cannot be planned has an answer with holes: here is why.
    for (const text of printer.pretty((plan?.diagnostics ?? []).filter(isError))) world.err(text);
    return { program, analysis, compiled, ...(plan === undefined ? {} : { plan }) };
  }
  if (json) world.out(printer.json(diagnostics));
  else for (const text of printer.pretty(diagnostics)) world.err(text);
  return undefined;
}
