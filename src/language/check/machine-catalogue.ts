/** The machines of the standard library, `std/machines`: read and checked when a plan first asks for them. */

import type { Host } from '../host/host.js';
import type { Machine } from '../ir/machine.js';
import { Declarations } from './declare.js';
import { machinesIn } from './machines.js';
import { ModuleLoader } from './modules.js';
import { overridesFrom } from './overrides.js';

const MACHINES_MODULE = 'std/machines';

/** By the text of the module: an editor asks at every keystroke, and it does not change. */
const known = new Map<string, readonly Machine[]>();

/** None where the library cannot be read. */
export function machineCatalogue(host: Host): readonly Machine[] {
  const loader = new ModuleLoader(host);
  const module = loader.library(MACHINES_MODULE);
  if (module === undefined) return [];
  const found = known.get(module.source.text);
  if (found !== undefined) return found;
  const access = { host, folder: host.packageFolder };
  const context = new Declarations(loader, access, overridesFrom(undefined), undefined).context(
    module,
    false,
  );
  const machines = machinesIn(context);
  known.set(module.source.text, machines);
  return machines;
}
