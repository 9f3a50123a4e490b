/** How AdapterHub's `adapters` is told of the modules of a family that it does not know: its plug-in interface. */
import { blueprintOf, FAMILIES } from '../../models/architectures/index.js';
import type { ArchitectureName, ModelConfig } from '../../models/types.js';
import { ADAPTERS_VERSION } from './config-file.js';

export const INTERFACE_FILE = 'adapter_interface.json';

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

/** Fields of `AdapterModelInterface`, as the library saves them; nothing for a family that it knows. */
export function interfaceFile(config: ModelConfig | undefined): string | undefined {
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
