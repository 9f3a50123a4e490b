/** A LoRA adapter as a GGUF file, as llama.cpp and Ollama load it over its base (`convert_lora_to_gguf.py`). */
import { basename } from 'node:path';
import type { Host } from '../../../language/host/host.js';
import { adaptedProjections, downName, upName } from '../../models/adapters/branches.js';
import { adaptedOuter } from '../../models/adapters/outer.js';
import { weightName } from '../../models/architectures/index.js';
import { configAt } from '../../models/config-at.js';
import { type Arrangement, ggufLayout } from '../../models/gguf/layout.js';
import { type GgufField, type GgufFile, ggufFile, type WritableGgufTensor } from '../../models/gguf/write.js';
import { type AdapterTensors, ModelError } from '../../models/types.js';
import { quantiseBlocks } from '../../models/weights/quantisation.js';
import { readAdapter } from '../adapters.js';
import { checkAdapter } from '../check-base.js';
import { f32, ggufFamily, text } from './hyperparameters.js';

/** Throws a `ModelError` for folders that do not fit, and for an adapter that llama.cpp has no form for. */
export function adapterGguf(
  host: Host,
  folder: string,
  basePath: string,
  { type = 'f32' }: { readonly type?: 'f32' | 'f16' } = {},
): GgufFile {
  const adapter = readAdapter(host, folder);
  const config = configAt(host, basePath);
  checkAdapter(adapter, config, folder);
  const family = ggufFamily(config);
  const { config: lora, tensors } = adapter;
  if (family === undefined) throw noForm(folder, `Its base is of the architecture ${config.architecture}.`);
  if (lora.kind !== 'lora')
    throw noForm(folder, `It is of the kind ${lora.kind}, which llama.cpp does not know.`);
  if ((lora.modulesToSave ?? []).length > 0)
    throw noForm(folder, `It has ${(lora.modulesToSave ?? []).join(' and ')} as a whole.`);
  if (lora.bias !== undefined)
    throw noForm(folder, 'It has biases, which llama.cpp takes from the base alone.');
  const [outer] = adaptedOuter(config, lora);
  if (outer !== undefined)
    throw noForm(folder, `It has factors over ${outer.path}, which are for layers of blocks alone here.`);
  const places = new Map(
    ggufLayout(config, family.rotatesPairs ?? false).map((place) => [place.name, place] as const),
  );
  const written = adaptedProjections(config, lora).flatMap(({ path, branch }) => {
    if (branch.dora) throw noForm(folder, 'It has magnitudes (DoRA), which llama.cpp does not know.');
    const place = places.get(weightName({ module: path }));
    if (place === undefined) return [];
    const gain = (branch.scale * branch.rank) / lora.alpha;
    const up = scaledRows(read(tensors, upName(path)), place.arrangement, gain);
    return [
      factor(`${place.ggufName}.lora_a`, read(tensors, downName(path)), type),
      factor(`${place.ggufName}.lora_b`, up, type),
    ];
  });
  const fields = new Map<string, GgufField>([
    ['general.architecture', text(family.name)],
    ['general.type', text('adapter')],
    ['general.name', text(basename(folder))],
    ['adapter.type', text('lora')],
    ['adapter.lora.alpha', f32(lora.alpha)],
  ]);
  return ggufFile(fields, written);
}

const noForm = (folder: string, detail: string): ModelError =>
  new ModelError(
    'gguf_unsupported',
    folder,
    detail,
    'Merge the adapter into its base, and use the merged model: `merge fused { base = …, adapter = …, dtype = q8_0 }`.',
  );

interface Factor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

function read(tensors: AdapterTensors, name: string): Factor {
  const found = tensors.get(name);
  if (found === undefined) throw new Error(`the adapter has no ${name}`);
  return found;
}

/**
 * Rows of B in the order of its weight's rows. llama.cpp multiplies by alpha/rank; `gain` is the rest of its scale
 * (rsLoRA, patterns of alpha).
 */
function scaledRows({ shape, data }: Factor, arrangement: Arrangement, gain: number): Factor {
  const [rows = 0, width = 0] = shape;
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const to = arrangement.kind === 'rows' ? arrangement.theirs(row) : row;
    for (let i = 0; i < width; i++) out[to * width + i] = gain * (data[row * width + i] as number);
  }
  return { shape, data: out };
}

const factor = (name: string, { shape, data }: Factor, type: 'f32' | 'f16'): WritableGgufTensor => ({
  name,
  type: type === 'f32' ? 'F32' : 'F16',
  shape,
  chunks: () => [quantiseBlocks(type === 'f32' ? 'F32' : 'F16', data)],
});
