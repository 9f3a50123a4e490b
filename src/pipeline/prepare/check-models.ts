import type { CompileResult } from '../../language/compile.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { isCall } from '../../language/ir/values.js';

/** A pipeline that trains nothing, and names no adapter, needs none of the rooms that know models. */
export async function checkModels(compiled: CompileResult, host: Host): Promise<readonly Diagnostic[]> {
  const looks = compiled.program?.stages.some(
    ({ kind, settings }) => kind === 'train' || isCall(settings['adapter']),
  );
  if (looks !== true) return [];
  const { checkTraining } = await import('../stages/train/check.js');
  const { checkReferences } = await import('./check-references.js');
  return [...checkTraining(compiled, host), ...checkReferences(compiled, host)];
}
