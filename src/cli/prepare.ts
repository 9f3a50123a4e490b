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
  if (compiled.program === undefined) return compiled;
  const { plan } = await import('../planner/plan.js');
  return { ...compiled, plan: await plan(compiled.program, host, wanted) };
}
