/** The adapter that training begins with, as PEFT reads it. */
import { isTrained } from '../../../../compute/models/adapters/branches.js';
import type { AdapterConfig } from '../../../../compute/models/adapters/config.js';
import { initAdapter } from '../../../../compute/models/adapters/kinds.js';
import { labelsOf } from '../../../../compute/models/adapters/whole.js';
import { projectionsOfModel } from '../../../../compute/models/architectures/index.js';
import { f32Writable, safetensorsChunks } from '../../../../compute/models/safetensors/write.js';
import type { AdapterTensors, WeightStore } from '../../../../compute/models/types.js';
import { writeAdapter } from '../../../../compute/packaging/adapters.js';
import type { OutputFolder } from '../../../../language/ir/outputs.js';
import type { TrainPlan } from '../../train-plan/plan.js';
import { baseWeights } from '../base-weights.js';
import { firstAdapter } from '../first-adapter.js';
import type { TrainTask } from '../train-task.js';

/** Its tensors, and the folder that it was written to. */
export interface InitialAdapter {
  readonly tensors: AdapterTensors;
  readonly folder: string;
}

export function writeInitialAdapter(
  output: OutputFolder,
  task: TrainTask,
  adapter: AdapterConfig,
  plan: TrainPlan,
): InitialAdapter {
  const first = firstAdapter(task, adapter, frozenWeights(task, plan));
  const { model, base } = task;
  // what PiSSA begins with is taken off the base's weights by the driver
  const trained = new Map([...first.tensors].filter(([name]) => isTrained(name)));
  writeAdapter(
    output,
    'adapter',
    { ...first, tensors: trained },
    {
      base: {
        name: base.label,
        revision: base.commit ?? null,
        transposed: projectionsOfModel(model.config).some(({ transposed }) => transposed),
        shape: model.config,
      },
    },
  );
  return { tensors: first.tensors, folder: `${output.path}/adapter` };
}

/** The head over new labels that full training begins with; `undefined` where the model's own is trained. */
export function writeHead(output: OutputFolder, { adapter, model, settings }: TrainTask): string | undefined {
  const labels = labelsOf(adapter);
  if (labels === undefined) return undefined;
  const weights = lazily(() => model.loadWeights('paged'));
  const { tensors } = initAdapter(model.config, { kind: 'head', labels }, { seed: settings.seed, weights });
  const named = [...tensors].map(([name, { shape, data }]) => f32Writable(name, shape, data));
  output.write('head.safetensors', safetensorsChunks(named));
  return `${output.path}/head.safetensors`;
}

/**
 * Most adapters begin without a look at the base. What others need of it is read tensor by tensor; quantised weights are
 * what factors and magnitudes are taken from where those are trained over.
 */
const frozenWeights = ({ model, adapter, settings }: TrainTask, { method }: TrainPlan): WeightStore =>
  lazily(() =>
    baseWeights(model, { method, pagedWeights: method !== 'qlora' }, { adapter, seed: settings.seed }),
  );

function lazily(load: () => WeightStore): WeightStore {
  let loaded: WeightStore | undefined;
  const store = (): WeightStore => {
    loaded ??= load();
    return loaded;
  };
  return {
    names: () => store().names(),
    get: (name) => store().get(name),
    has: (name) => store().has(name),
    get residentBytes() {
      return loaded?.residentBytes ?? 0;
    },
  };
}
