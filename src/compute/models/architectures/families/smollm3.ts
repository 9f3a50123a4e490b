/** SmolLM3, as transformers' `modeling_smollm3.py`: Llama of which some layers have no positions (arXiv 2501.18795). */
import { PLAIN } from '../../config/rope.js';
import { COMMON, readWindow, writeLayerTypes, writeShape } from '../../config/shape.js';
import {
  type Family,
  frame,
  fullAndSliding,
  gatedMlp,
  readLlamaShape,
  separateAttention,
} from './building-blocks.js';

export const smollm3: Family = {
  modelType: 'smollm3',
  className: 'SmolLM3ForCausalLM',
  classifierName: 'SmolLM3ForSequenceClassification',
  read(config) {
    const shape = readLlamaShape(config, { ...COMMON, tied: true }, { ...PLAIN, theta: 2_000_000 });
    const attention = config.flag('attention_bias');
    const mlp = config.flag('mlp_bias');
    const interval = config.whole('no_rope_layer_interval', 4);
    const listed = config.list('no_rope_layers');
    if (listed !== undefined && listed.length !== shape.layers)
      config.wrong('no_rope_layers', `a list of ${shape.layers} entries`);
    // the field lists, against its name, 1 for every layer that has rotary positions
    const unrotated = Array.from({ length: shape.layers }, (_, layer) =>
      listed === undefined ? (layer + 1) % interval === 0 : listed[layer] === 0,
    );
    const slides = config.flag('use_sliding_window');
    return {
      architecture: 'smollm3',
      ...shape,
      ...(attention || mlp ? { biases: { attention, output: attention, mlp } } : {}),
      unrotated,
      ...(slides ? readWindow(config, shape.layers, (layer) => unrotated[layer] ?? false) : {}),
    };
  },
  blueprint(config) {
    const turned = fullAndSliding(config, separateAttention(config), gatedMlp(config));
    const still = Object.entries(turned.blocks).map(([kind, block]) => [
      `${kind}, unrotated`,
      { ...block, attention: { ...block.attention, rotary: undefined } },
    ]);
    return {
      ...frame(config),
      layers: turned.layers.map((kind, layer) => (config.unrotated?.[layer] ? `${kind}, unrotated` : kind)),
      blocks: { ...turned.blocks, ...Object.fromEntries(still) },
    };
  },
  write: (config) => ({
    ...writeShape(config),
    ...writeLayerTypes(config),
    attention_bias: config.biases?.attention ?? false,
    hidden_act: 'silu',
    mlp_bias: config.biases?.mlp ?? false,
    no_rope_layers: config.unrotated?.map((still) => (still ? 0 : 1)),
    sliding_window: config.window ?? null,
    use_sliding_window: config.window !== undefined,
  }),
};
