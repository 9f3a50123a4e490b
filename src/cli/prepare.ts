import type { CompileResult } from '../compile.js';
import type { Resolution, ResolveOptions } from '../lock/index.js';
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
  /** Refuses whatever is not as the lock says. */
  readonly locked?: boolean;
}

export type Prepared = CompileResult & Pick<Resolution, 'lock'> & { readonly plan?: Plan };

/** Compiles and, where the program has no errors, finds out what its names stand for and plans. */
export async function prepare(host: Host, wanted: Wanted): Promise<Prepared> {
  const { compile } = await import('../compile.js');
  const compiled = compile(host, wanted.file, { params: wanted.params });
  const resolved = await resolveNames(host, compiled, { locked: wanted.locked });
  if (resolved === undefined) return compiled;
  const { program, lock, digests } = resolved;
  const diagnostics = [...compiled.diagnostics, ...resolved.diagnostics];
  if (program === undefined) return { ...compiled, program, diagnostics };
  const { plan } = await import('../planner/plan.js');
  const made = await plan(program, resolved.host, { ...wanted, digests });
  return { ...compiled, diagnostics, program, lock, plan: made };
}

/** `undefined` for a program with errors. */
export async function resolveNames(
  host: Host,
  { program, analysis }: CompileResult,
  options: ResolveOptions,
): Promise<Resolution | undefined> {
  if (program === undefined || analysis === undefined) return undefined;
  const { resolveProgram } = await import('../lock/index.js');
  return resolveProgram({ program, analysis }, host, options);
}
