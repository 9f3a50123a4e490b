/** What the ranks have left behind, as the embedded engine would have it. */
import { RESULT } from '../../../../compute/accelerate/spec.js';
import type { AdapterConfig } from '../../../../compute/models/adapters/config.js';
import { adapterShapes } from '../../../../compute/models/adapters/kinds.js';
import { adaptedConfig } from '../../../../compute/models/adapters/whole.js';
import { expectedTensors, type NamedShape } from '../../../../compute/models/architectures/index.js';
import {
  type LocatedTensor,
  openSafetensors,
  openTensorSource,
} from '../../../../compute/models/safetensors/read.js';
import type { AdapterTensors } from '../../../../compute/models/types.js';
import { nameInPeft } from '../../../../compute/packaging/adapters.js';
import { TRAINING_STATE, type TrainingState } from '../../../../compute/training/state.js';
import type { Host } from '../../../../language/host/host.js';
import { ownJson } from '../../../../language/host/json.js';
import type { TrainTask } from '../train-task.js';

interface RankResults {
  readonly state: TrainingState;
  readonly best: AdapterTensors;
  readonly last: AdapterTensors;
}

/** Each tensor is read when it is asked for. `adapter`: left out where every weight was trained. */
export function readResults(
  { context: { host, work }, model, ...task }: TrainTask,
  adapter: AdapterConfig | undefined,
): RankResults {
  const at = (name: string): string => `${work.path}/${name}`;
  const state = ownJson(TRAINING_STATE, host.readText(at(RESULT.state)));
  if (adapter === undefined) {
    const config = adaptedConfig(model.config, task.adapter);
    const tensors = (name: string): AdapterTensors => {
      const source = openTensorSource(host, at(name));
      // of an architecture that only transformers knows, its own files say what belongs to a model, and how it is called there
      const shapes = config.foreign === undefined ? expectedTensors(config) : written(source);
      return tensorsOf(shapes, source, (own) => own);
    };
    return { state, best: tensors(RESULT.bestModel), last: tensors(RESULT.lastModel) };
  }
  const shapes = adapterShapes(model.config, adapter);
  const name = nameInPeft(adapter) ?? ((own: string) => own);
  const tensors = (file: string): AdapterTensors => tensorsOf(shapes, sourceOf(host, at(file)), name);
  return { state, best: tensors(RESULT.best), last: tensors(RESULT.last) };
}

function sourceOf(host: Host, path: string): ReadonlyMap<string, LocatedTensor> {
  const file = openSafetensors(host, path);
  return new Map([...file.tensors].map(([name, entry]) => [name, { entry, file }]));
}

const written = (source: ReadonlyMap<string, LocatedTensor>): readonly NamedShape[] =>
  [...source].map(([name, { entry }]) => ({ name, shape: entry.shape }));

/** By this program's names. A tensor that is missing, or has another shape, is a bug of the driver. */
const tensorsOf = (
  shapes: readonly NamedShape[],
  source: ReadonlyMap<string, LocatedTensor>,
  nameOf: (name: string) => string,
): AdapterTensors =>
  new Map(
    shapes.map(({ name, shape }) => {
      const found = source.get(nameOf(name));
      if (found === undefined || found.entry.dtype !== 'F32' || found.entry.shape.join() !== shape.join())
        throw new Error(`the ranks wrote no ${nameOf(name)} of shape [${shape.join(', ')}] in float32`);
      const { entry, file } = found;
      return [
        name,
        {
          shape,
          get data() {
            const bytes = file.read(entry);
            return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
          },
        },
      ];
    }),
  );
