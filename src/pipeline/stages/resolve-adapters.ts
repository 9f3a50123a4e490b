/** Adapters that a pipeline names by a folder. */
import { join, resolve } from 'node:path';
import { ADAPTER_FILES } from '../../compute/packaging/read-adapter.js';
import type { Call } from '../../language/ir/program.js';
import { adapters as functions } from '../../language/schemas/functions/adapter.js';
import type { ModelPath } from './open-models.js';
import type { StageContext } from './stage.js';

export interface NamedAdapter {
  /** Absolute path of a folder as PEFT or AdapterHub saves it. */
  readonly folder: string;
  /** As the file has it. */
  readonly label: string;
}

/** Where an `adapter` call points; `undefined` for a function that is no adapter. */
export function resolveAdapter(
  { call, args }: Call,
  { folder }: Pick<StageContext, 'folder'>,
): NamedAdapter | undefined {
  if (!Object.hasOwn(functions, call)) return undefined;
  const label = String(args['folder']);
  return { folder: resolve(folder, label), label };
}

/** The files that decide what an adapter does: what digests are made of. Those that are not there are left out. */
export function adapterPaths(
  { folder }: NamedAdapter,
  { host }: Pick<StageContext, 'host'>,
): readonly ModelPath[] {
  return ADAPTER_FILES.flatMap((name) => {
    const path = join(folder, name);
    const stat = host.stat(path);
    return stat === undefined || stat.isFolder ? [] : [{ name, path, bytes: stat.size }];
  });
}
