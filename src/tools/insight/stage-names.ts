/** Names of stages that people ask for. */
import { noSuchStage, severalStages } from '../../language/diagnostics/catalogue/insight.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { Program, Stage } from '../../language/ir/program.js';

/** A name that no stage has; it may be that of a block of which a matrix makes several stages. */
export function noSuchName(
  file: string,
  name: string,
  stages: readonly Stage[],
  others: readonly string[] = [],
): Diagnostic {
  const [declared = name] = name.split('@');
  const instances = stages.filter(({ instance }) => instance?.of === declared).map((stage) => stage.name);
  return instances.length > 0
    ? severalStages(file, name, instances)
    : noSuchStage(
        file,
        name,
        stages.map((stage) => stage.name),
        others,
      );
}

/** Throws a `UserError` for a name that no stage has. */
export function requireStage({ file, stages }: Program, stage: string): void {
  if (!stages.some(({ name }) => name === stage)) throw new UserError(noSuchName(file, stage, stages));
}
