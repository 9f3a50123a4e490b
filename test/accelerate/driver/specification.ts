/** Specifications of the driver for the trainings that PEFT and transformers were recorded with. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainSpec } from '../../../src/compute/accelerate/spec.js';
import type { LoraConfig } from '../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../src/compute/models/adapters/kinds.js';
import { openModel } from '../../../src/compute/models/load.js';
import {
  f32Writable,
  safetensorsChunks,
  type WritableTensor,
} from '../../../src/compute/models/safetensors/write.js';
import type { AdapterTensors } from '../../../src/compute/models/types.js';
import {
  fixtureJson,
  fixturePath,
  host,
  type RunName,
  recordedRun,
  recordedTensors,
} from '../../compute/training/fixture.js';

const TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
const NF4 = { type: 'nf4', double: true } as const;

/** What of a run is not as in the others. */
export type Change = Partial<Omit<TrainSpec, 'model'>> & { readonly model?: Partial<TrainSpec['model']> };

/** Writes what a recorded run is made of into a folder, and its specification. */
export function writeSpecification(folder: string, name: RunName, change: Change = {}): TrainSpec {
  mkdirSync(folder, { recursive: true });
  const run = recordedRun(name);
  const rows = fixtureJson<{ ids: number[]; labels: number[] }[]>('rows.json');
  const full = name === 'full';
  if (!full) writeAdapter(join(folder, 'adapter'), name);
  const spec: TrainSpec = {
    ...{ version: 1, folder, versions: {}, digest: 'recorded', world: 1, device: 'cpu' },
    sharding: { kind: 'none', offload: false },
    ...{ precision: 'f32', trained: full ? 'full' : 'adapter', head: null, pissa: name.endsWith('pissa') },
    adapter: full ? null : { folder: join(folder, 'adapter') },
    rows: { file: writeRows(join(folder, 'rows.safetensors'), rows) },
    ...{
      validation: null,
      pad_id: 2,
      padding: { bucket: 1, limit: 128 },
      dropout: null,
      steps: writeSteps(join(folder, 'steps.jsonl'), name, rows.length),
    },
    ...{
      total_steps: run.steps,
      ...{
        every: 20,
        validate_every: 20,
        best: null,
        ends_repeating: false,
        answers: null,
        preferences: null,
      },
      keep: 9,
      patience: null,
      plateau: null,
      wall: null,
      clip: run.clip,
    },
    optimizer: {
      ...{ name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: run.decay, momentum: 0 },
      ...{ lora_plus: run.loraplus ?? 1, paged: false },
    },
    ...{
      neftune: null,
      label_smoothing: run.smoothing ?? 0,
      seed: 17,
      checkpointed_blocks: 1,
      logits_chunk: 16,
      ...change,
    },
    model: {
      ...{ folder: fixturePath('base'), gguf: null, task: 'causal', labels: null, dtype: 'float32' },
      ...{ quantisation: name.startsWith('qlora') ? NF4 : null, attention: 'eager', ...change.model },
    },
  };
  writeFileSync(join(folder, 'spec.json'), JSON.stringify(spec));
  return spec;
}

function writeRows(path: string, rows: readonly { ids: number[]; labels: number[] }[]): string {
  const column = (name: 'ids' | 'labels'): WritableTensor => {
    const values = Int32Array.from(rows.flatMap((row) => row[name]));
    return { name, dtype: 'I32', shape: [values.length], chunks: () => [new Uint8Array(values.buffer)] };
  };
  const offsets = new BigInt64Array(rows.length + 1);
  for (const [row, { ids }] of rows.entries()) offsets[row + 1] = (offsets[row] ?? 0n) + BigInt(ids.length);
  const bytes = new Uint8Array(offsets.buffer);
  const ends: WritableTensor = {
    name: 'offsets',
    dtype: 'I64',
    shape: [offsets.length],
    chunks: () => [bytes],
  };
  return writeTensors(path, [column('ids'), column('labels'), ends]);
}

/** The rows of the file in their order, the last step of each pass short. */
function writeSteps(path: string, name: RunName, rows: number): string {
  const { global, micro, history } = recordedRun(name);
  const perEpoch = Math.ceil(rows / global);
  const lines = history.map(({ learningRate }, index) => {
    const start = (index % perEpoch) * global;
    const batch = Array.from({ length: Math.min(global, rows - start) }, (_, place) => [start + place]);
    const cuts = Array.from({ length: Math.ceil(batch.length / micro) }, (_, cut) =>
      batch.slice(cut * micro, (cut + 1) * micro),
    );
    return `${JSON.stringify({ rate: learningRate, epoch: (index + 1) / perEpoch, micro: cuts })}\n`;
  });
  writeFileSync(path, lines.join(''));
  return path;
}

export function writeTensors(path: string, tensors: readonly WritableTensor[]): string {
  writeFileSync(path, Buffer.concat([...safetensorsChunks(tensors)]));
  return path;
}

const VIRTUAL = {
  ...{ task_type: 'CAUSAL_LM', num_virtual_tokens: 6, num_layers: 2, num_transformer_submodules: 1 },
  inference_mode: true,
};
const prefix = (units: number | undefined) => ({
  ...{ ...VIRTUAL, peft_type: 'PREFIX_TUNING', token_dim: 32, num_attention_heads: 2 },
  ...{ encoder_hidden_size: units ?? 32, prefix_projection: units !== undefined },
});

/** Configs of what trains no low-rank factors. */
const OTHERS: Readonly<Partial<Record<RunName, object>>> = {
  prompt: { ...VIRTUAL, peft_type: 'PROMPT_TUNING', token_dim: 64, num_attention_heads: 4 },
  prefix: prefix(undefined),
  'qlora-prefix': prefix(undefined),
  'prefix-projection': prefix(12),
};

function writeAdapter(folder: string, name: RunName): void {
  mkdirSync(folder, { recursive: true });
  const dora = name.endsWith('dora');
  const lora = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    r: 4,
    lora_alpha: 8,
    target_modules: TARGETS,
    use_dora: dora,
  };
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(OTHERS[name] ?? lora));
  const named = [...initialTensors(name)].map(([tensor, { shape, data }]) =>
    f32Writable(tensor, shape, data),
  );
  writeTensors(join(folder, 'adapter_model.safetensors'), named);
}

/** By the names that they have in PEFT's files. */
function initialTensors(name: RunName): AdapterTensors {
  if (OTHERS[name] === undefined)
    return new Map([...initialFactors(name)].map(([tensor, value]) => [`base_model.model.${tensor}`, value]));
  const recorded = [...recordedTensors(`${name}-initial.safetensors`)];
  const { config } = openModel(host, fixturePath('base'));
  const { tensors } = initAdapter(
    config,
    name === 'prompt'
      ? { kind: 'prompt', tokens: 6 }
      : { kind: 'prefix', tokens: 6, ...(recorded.length > 1 && { projection: 12 }) },
    { seed: 0 },
  );
  const shapeOf = (tensor: string): readonly number[] => tensors.get(tensor)?.shape ?? [];
  return new Map(
    recorded.map(([tensor, data]) => [
      recorded.length > 1 ? tensor : 'prompt_embeddings',
      { shape: shapeOf(tensor), data },
    ]),
  );
}

/** PEFT's random factors; the magnitudes of DoRA and the factors of PiSSA follow from the base. By this program's names. */
export function initialFactors(name: RunName): AdapterTensors {
  const model = openModel(host, fixturePath('base'));
  const weights = model.loadWeights(name.startsWith('qlora') ? 'nf4' : 'stored');
  const pissa = name.endsWith('pissa');
  const lora: LoraConfig = {
    ...{ kind: 'lora', rank: 4, alpha: 8, dropout: 0, targets: TARGETS, dora: name.endsWith('dora'), pissa },
  };
  const { tensors } = initAdapter(model.config, lora, { seed: 0, weights });
  const recorded = recordedTensors('lora-initial.safetensors');
  return new Map(
    [...tensors]
      .filter(([tensor]) => /lora_(A|B)\.weight$|magnitude/.test(tensor))
      .map(([tensor, { shape, data }]) => [
        tensor,
        { shape, data: (pissa ? undefined : recorded.get(tensor)) ?? data },
      ]),
  );
}
