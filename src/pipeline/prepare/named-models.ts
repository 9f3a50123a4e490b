/** The models with weights to compute with that stages name. */
import type { ModelConfig } from '../../compute/models/types.js';
import type { Host } from '../../language/host/host.js';
import type { Program, Stage, Value } from '../../language/ir/program.js';
import { isCall } from '../../language/ir/values.js';
import { valueAt } from '../../language/schemas/setting-paths.js';
import { resolvedConfig } from '../stages/open-models.js';
import { resolveModelCall } from '../stages/resolve-models.js';

/** Paths of settings that name one, by the kind of stage. */
const SETTINGS: Readonly<Partial<Record<Stage['kind'], readonly string[]>>> = {
  train: ['base', 'objective.reference'],
  eval: ['model', 'baseline'],
  merge: ['base'],
  deploy: ['model'],
};

export const modelSettings = ({ kind, settings }: Stage): readonly string[] =>
  (SETTINGS[kind] ?? []).filter((path) => isCall(valueAt(settings, path)));

export interface NamedModel {
  readonly config: ModelConfig;
  /** Its weights are random. */
  readonly isMade: boolean;
  /** As the file has it. */
  readonly label: string;
}

interface Place {
  readonly program: Pick<Program, 'folder'>;
  readonly host: Host;
}

/** `undefined` where it is another stage's. Throws a `ModelError` where it is not here, or cannot be read. */
export function namedModel(value: Value | undefined, { program, host }: Place): NamedModel | undefined {
  if (!isCall(value)) return undefined;
  const model = resolveModelCall(value, { folder: program.folder, host });
  return (
    model && {
      config: resolvedConfig(host, model),
      isMade: model.seed !== undefined,
      label: model.label,
    }
  );
}
