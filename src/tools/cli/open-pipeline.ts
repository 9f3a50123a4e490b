import type { Analysis, CompileResult } from '../../language/compile.js';
import { isError } from '../../language/diagnostics/types.js';
import type { Program } from '../../language/ir/program.js';
import type { PlanRequest, Preparation } from '../../pipeline/prepare/index.js';
import type { CliContext } from './cli-context.js';
import { printDiagnostics, printFailure } from './diagnostics-printer.js';

interface OpenPipeline extends Pick<Preparation, 'plan'> {
  readonly program: Program;
  readonly analysis: Analysis;
  readonly compiled: CompileResult;
}

/**
 * A pipeline that someone asks about, with its plan if that is asked for. Its mistakes are printed (as JSON on standard
 * output with `json`), and then it is `undefined`; its warnings are not what was asked for.
 */
export async function openPipeline(
  context: CliContext,
  request: PlanRequest,
  { json, planned }: { readonly json: boolean; readonly planned: boolean },
): Promise<OpenPipeline | undefined> {
  const { compiled, program, diagnostics, plan } = planned
    ? await (await import('../../pipeline/prepare/index.js')).prepare(context.host, request)
    : await justCompiled(context, request);
  const { analysis, sources } = compiled;
  if (program === undefined || analysis === undefined) {
    await printFailure(context, json, diagnostics, sources);
    return undefined;
  }
  // A stage that cannot be planned has an answer with holes: here is why.
  await printDiagnostics(context, (plan?.diagnostics ?? []).filter(isError), sources);
  return { program, analysis, compiled, plan };
}

async function justCompiled(
  { host }: CliContext,
  { file, params }: PlanRequest,
): Promise<Omit<Preparation, 'lints'>> {
  const { compile } = await import('../../language/compile.js');
  const compiled = compile(host, file, { params });
  return { compiled, program: compiled.program, diagnostics: compiled.diagnostics };
}
