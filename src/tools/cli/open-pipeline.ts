import type { Analysis, CompileResult } from '../../language/compile.js';
import { isError } from '../../language/diagnostics/types.js';
import type { Program } from '../../language/ir/types.js';
import type { PlanRequest, Preparation } from '../../pipeline/prepare/index.js';
import type { World } from './world.js';

export interface OpenPipeline extends Pick<Preparation, 'plan'> {
  readonly program: Program;
  readonly analysis: Analysis;
  readonly compiled: CompileResult;
}

/**
 * A pipeline that someone asks about, with its plan where that is asked for. Its mistakes are printed (as JSON on standard
 * output with `json`), and then it is `undefined`; its warnings are not what was asked for.
 */
export async function openPipeline(
  world: World,
  request: PlanRequest,
  { json, planned }: { readonly json: boolean; readonly planned: boolean },
): Promise<OpenPipeline | undefined> {
  const { diagnosticsPrinter } = await import('./diagnostics.js');
  const { compiled, program, diagnostics, plan } = planned
    ? await (await import('../../pipeline/prepare/index.js')).prepare(world.host, request)
    : await justCompiled(world, request);
  const { analysis, sources } = compiled;
  const printer = await diagnosticsPrinter(world, sources);
  if (program !== undefined && analysis !== undefined) {
    // A stage that cannot be planned has an answer with holes: here is why.
    for (const text of printer.pretty((plan?.diagnostics ?? []).filter(isError))) world.err(text);
    return { program, analysis, compiled, plan };
  }
  if (json) world.out(printer.json(diagnostics));
  else for (const text of printer.pretty(diagnostics)) world.err(text);
  return undefined;
}

async function justCompiled(
  { host }: World,
  { file, params }: PlanRequest,
): Promise<Omit<Preparation, 'lints'>> {
  const { compile } = await import('../../language/compile.js');
  const compiled = compile(host, file, { params });
  return { compiled, program: compiled.program, diagnostics: compiled.diagnostics };
}
