import type { CompileResult } from '../compile.js';
import type { Plan } from '../planner/types.js';
import type { Host } from '../source/host.js';

/** What a pipeline is read and planned with. */
export interface Wanted {
  readonly file: string;
  readonly params: Readonly<Record<string, string>>;
  readonly memoryBytes?: number;
  readonly threads?: number;
  /** A machine of the catalogue; this one where left out. */
  readonly machine?: string;
  readonly engine?: string;
  readonly devices?: number;
}

/** Compiles and, where the program has no errors, plans. */
export async function prepare(host: Host, wanted: Wanted): Promise<CompileResult & { readonly plan?: Plan }> {
  const { compile } = await import('../compile.js');
  const compiled = compile(host, wanted.file, { params: wanted.params });
  const { program, analysis } = compiled;
  if (program === undefined || analysis === undefined) return compiled;
  const { pinProgram } = await import('../hub/index.js');
  const { placeOf } = await import('../lock/places.js');
  const pinned = await pinProgram(program, host, {
    at: ({ stage, path }) => placeOf(analysis, stage.name, path),
  });
  const diagnostics = [...compiled.diagnostics, ...pinned.diagnostics];
  if (pinned.program === undefined) return { ...compiled, program: undefined, diagnostics };
  const { plan } = await import('../planner/plan.js');
  const made = await plan(pinned.program, pinned.host, { ...wanted, digests: pinned.digests });
  return { ...compiled, diagnostics, program: pinned.program, plan: made };
}
