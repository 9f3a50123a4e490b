import { unquantised } from '../../../compute/models/config/index.js';
import { configText, floatsAsIn } from '../../../compute/models/config/shape.js';
import { classifierFields } from '../../../compute/models/labels.js';
import type { ModelFolder } from '../../../compute/models/load.js';
import { safetensorsChunks, type WritableTensor } from '../../../compute/models/safetensors/write.js';
import type { AdapterTensors, ModelConfig, WeightStore } from '../../../compute/models/types.js';
import { paddingOf } from '../../../compute/packaging/score-padding.js';
import { sizeOf } from '../../../compute/tensor/shape.js';
import type { OutputFolder } from '../../../language/ir/outputs.js';

/**
 * Writes a fully trained model as a Hugging Face folder: config, tokenizer and template of its base, and float32
 * weights, one tensor at a time. A head that is tied to the embedding has no tensor of its own, as in the base; one over
 * labels replaces it where \`trained\` has them. `original`: the text of the base's own config, where its floats are not
 * known here.
 */
export function writeModel(
  output: Pick<OutputFolder, 'write'>,
  folder: string,
  base: ModelFolder,
  trained: ModelConfig,
  parameters: AdapterTensors,
  original = '',
): void {
  const padding = paddingOf({ ...base, facts: base.config }, trained.labels);
  for (const companion of base.companions())
    output.write(`${folder}/${companion.name}`, padding.of(companion));
  output.write(`${folder}/config.json`, floatsAsIn(original, float32Config(base, trained, padding.id)));
  const tensors = [...parameters].map(
    ([name, parameter]): WritableTensor => ({
      name,
      dtype: 'F32',
      shape: parameter.shape,
      chunks() {
        const { data } = parameter;
        return [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
      },
    }),
  );
  output.write(`${folder}/model.safetensors`, safetensorsChunks(tensors));
}

/** The base's config.json with the type of the new weights, under the name that the file used for it. */
function float32Config(base: ModelFolder, trained: ModelConfig, padId: number): string {
  const config = unquantised(base.configJson());
  const field = 'dtype' in config ? 'dtype' : 'torch_dtype';
  const classes = trained.labels === undefined ? {} : classifierFields(trained, padId);
  return configText({ ...config, [field]: 'float32', ...classes });
}

/** The weights of a base as float32, each decoded when it is asked for. */
export const decodedTensors = (store: WeightStore): AdapterTensors =>
  new Map(
    store.names().map((name) => {
      const tensor = store.get(name);
      return [
        name,
        {
          shape: tensor.shape,
          get data() {
            const values = new Float32Array(sizeOf(tensor.shape));
            tensor.dequantise(values);
            return values;
          },
        },
      ];
    }),
  );
