/** Folders of bottleneck adapters, as AdapterHub's `adapters` saves and loads them. */
import type { Host } from '../../../language/host/host.js';
import type { Json } from '../../../language/host/json.js';
import { ADAPTER_NAME } from '../../models/adapters/bottleneck.js';
import type { BottleneckConfig } from '../../models/adapters/config.js';
import { blueprintOf, FAMILIES } from '../../models/architectures/index.js';
import type { TensorEntry } from '../../models/safetensors/header.js';
import { openSafetensors } from '../../models/safetensors/read.js';
import { f32Writable, safetensorsChunks } from '../../models/safetensors/write.js';
import type { ArchitectureName, ModelConfig } from '../../models/types.js';
import type { AdapterFiles, AdapterFilesOptions, OpenedAdapter } from '../adapter-folder.js';
import { factTable, front, promptSection } from '../model-card.js';
import { checkTypes, valuesOf } from '../tensor-values.js';
import { ADAPTERS_VERSION, formatBottleneck, invalid, parseBottleneck } from './config-file.js';

/** The library's name of the file, where it is no pickle. */
const BOTTLENECK_WEIGHTS = 'adapter.safetensors';

const NAME =
  /^(.+\.(?:attention|output)_adapters\.adapters)\.(.+)\.(adapter_down\.0|adapter_up)\.(weight|bias)$/;

/** Opens a folder whose config was read. Throws a `ModelError` that names the field or tensor at fault. */
export function openBottleneck(host: Host, folder: string, json: Json, configPath: string): OpenedAdapter {
  const { config, name, base } = parseBottleneck(json, configPath);
  const path = `${folder}/${BOTTLENECK_WEIGHTS}`;
  if (host.stat(path) === undefined)
    throw invalid(
      folder,
      `The folder has no ${BOTTLENECK_WEIGHTS}; pickled weights are not read, since they can run code.`,
    );
  const file = openSafetensors(host, path);
  const tensors = new Map(
    [...file.tensors].map(([fullName, entry]): [string, TensorEntry] => {
      const [, list, adapter, layer, part] = NAME.exec(fullName) ?? [];
      if (list === undefined || adapter !== name)
        throw invalid(path, `Tensor "${fullName}" does not belong to the bottleneck adapter "${name}".`);
      return [`${list}.${ADAPTER_NAME}.${layer}.${part}`, entry];
    }),
  );
  if (tensors.size === 0) throw invalid(path, 'The adapter has no tensors.');
  checkTypes(tensors, file);
  const opened = { path: folder, base, config, tensors };
  return { ...opened, load: () => ({ ...opened, tensors: valuesOf(tensors, file) }) };
}

/** The files of such a folder; equal adapters give equal bytes. */
export const bottleneckFiles: AdapterFiles<'bottleneck'> = (
  { config, tensors },
  { base, licence, prompt },
) => {
  const writable = [...tensors].map(([name, { shape, data }]) => f32Writable(name, shape, data));
  const told = interfaceFile(base.shape);
  return {
    'adapter_config.json': formatBottleneck(config, base),
    [BOTTLENECK_WEIGHTS]: { [Symbol.iterator]: () => safetensorsChunks(writable) },
    ...(told === undefined ? {} : { [INTERFACE_FILE]: told }),
    'README.md': bottleneckCard(config, { base, licence, prompt, isTold: told !== undefined }),
  };
};

const INTERFACE_FILE = 'adapter_interface.json';

/** What release 1.3 knows of itself. */
const KNOWN: ReadonlySet<ArchitectureName> = new Set([
  'llama',
  'mistral',
  'gpt2',
  'qwen2',
  'qwen3',
  'gemma2',
  'gemma3',
]);

/**
 * How the library is told of the modules of a family that it does not know: fields of `AdapterModelInterface`, as it
 * saves them.
 */
function interfaceFile(config: ModelConfig | undefined): string | undefined {
  if (config === undefined || KNOWN.has(config.architecture)) return undefined;
  const { blocks, blocksAt, embedding } = blueprintOf(config);
  const [block] = Object.values(blocks);
  if (block === undefined) return undefined;
  const { attention, mlp } = block;
  const { inputs } = attention;
  const fields = {
    adapter_methods: ['bottleneck'],
    attn_k_proj: inputs.kind === 'separate' ? last(inputs.k.module) : null,
    attn_o_proj: last(attention.output.module),
    attn_q_proj: inputs.kind === 'separate' ? last(inputs.q.module) : null,
    attn_qkv_proj: inputs.kind === 'fused' ? last(inputs.all.module) : null,
    attn_v_proj: inputs.kind === 'separate' ? last(inputs.v.module) : null,
    base_model: null,
    layer_cross_attn: null,
    layer_intermediate_proj: mlp.up.kind === 'fused' ? mlp.up.both.module : mlp.up.up.module,
    layer_ln_1: attention.after?.module ?? null,
    layer_ln_2: mlp.after?.module ?? null,
    layer_output_proj: mlp.down.module,
    layer_pre_cross_attn: null,
    layer_pre_ffn: mlp.norm.module,
    layer_pre_self_attn: attention.norm.module,
    layer_self_attn: attention.output.module.replace(/\.[^.]*$/, ''),
    model_embeddings: last(embedding.name.replace(/\.weight$/, '')),
    model_layers: last(blocksAt),
  };
  const file = {
    interface: fields,
    model_type: FAMILIES[config.architecture].modelType,
    version: `adapters.${ADAPTERS_VERSION}`,
  };
  return JSON.stringify(file, null, 2);
}

const last = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

const KINDS: Readonly<Record<BottleneckConfig['reads'], string>> = {
  output: 'sequential, reads what a part of a block gives (Houlsby)',
  sum: 'sequential, reads that and the hidden states it is added to (Pfeiffer)',
  stream: 'parallel, reads these hidden states alone',
};

const LOADING = `import adapters
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(BASE)
adapters.init(model)`;

const LOADING_TOLD = `import json
import adapters
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(BASE)
told = json.load(open(f"{ADAPTER}/${INTERFACE_FILE}"))["interface"]
adapters.init(model, interface=adapters.AdapterModelInterface(**told))`;

/** The model card of the folder; `isTold`: a file of the folder tells the library of the base's modules. */
function bottleneckCard(
  { reduction, places, activation, reads, scale, leaveOut = [] }: BottleneckConfig,
  { base, licence, prompt, isTold }: AdapterFilesOptions & { readonly isTold: boolean },
): string {
  const facts: readonly (readonly [string, string | number])[] = [
    ['Kind', KINDS[reads]],
    ['At', places.join(', ')],
    ['Reduction factor', reduction],
    ['Activation', activation],
    ['Scaling', scale],
    ...(leaveOut.length === 0 ? [] : [['Layers without', leaveOut.join(', ')] as const]),
  ];
  return `${front(base, { library: 'adapter-transformers', tag: 'bottleneck-adapter', licence })}
# Bottleneck adapter for ${base.name ?? 'a base model'}

${factTable(facts)}

\`\`\`python
${isTold ? LOADING_TOLD : LOADING}
model.load_adapter(ADAPTER, use_safetensors=True, set_active=True)
\`\`\`
${promptSection(prompt)}`;
}
