/** Counts what tensors take with the Python that is here, if its packages are those that a plan is for. */
import { countTensors } from '../../compute/accelerate/count-tensors.js';
import { tryPython } from '../../compute/accelerate/environment.js';
import { COUNTED_WITH } from '../../compute/accelerate/memory/index.js';
import type { Host } from '../../language/host/host.js';
import type { RunEngine } from '../../language/ir/engines.js';
import type { TensorCounter } from '../planner/counted-training.js';

/** `asked`: what `--python` names. */
export function tensorCounter(host: Host, engine: RunEngine, asked?: string): TensorCounter | undefined {
  if (engine.name === 'embedded') return undefined;
  const found = tryPython(host, asked);
  if ('code' in found) return undefined;
  const versions: Readonly<Record<string, string | undefined>> = found.packages;
  const isSame = Object.keys(COUNTED_WITH).every((name) => versions[name] === engine.versions[name]);
  return isSame ? (question) => countTensors(host, found, question) : undefined;
}
