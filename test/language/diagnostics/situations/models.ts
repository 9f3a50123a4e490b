import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '../../../../src/compute/models/safetensors/read.js';
import { safetensorsChunks } from '../../../../src/compute/models/safetensors/write.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { Ground, Situation, Situations } from './types.js';

const fixture = (path: string): string => join(nodeHost().packageFolder, 'test/fixtures', path);

const copied =
  (from: string, to: string, change: (ground: Ground) => void = () => {}): Situation =>
  (ground) => {
    cpSync(fixture(from), join(ground.folder, to), { recursive: true });
    change(ground);
    return undefined;
  };

/** Changes a JSON file. */
function edit(
  { folder, write }: Ground,
  name: string,
  change: (value: Record<string, unknown>) => void,
): void {
  const value = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  change(value);
  write(name, JSON.stringify(value));
}

const WEIGHTS = 'model/model.safetensors';
const LOST = 'model.layers.0.mlp.down_proj.weight.absmax';

/** Writes weights without one of the tensors. */
function lose({ folder, write }: Ground, name: string): void {
  const file = openSafetensors(nodeHost(folder), join(folder, name));
  const kept = [...file.tensors.values()].filter((entry) => entry.name !== LOST);
  const chunks = safetensorsChunks(kept.map((entry) => ({ ...entry, chunks: () => [file.read(entry)] })));
  write(name, Buffer.concat([...chunks]));
}

/** Writes the model's weights with some of their values changed. */
function withWeights({ folder, write }: Ground, change: (values: Float32Array, name: string) => void): void {
  const file = openSafetensors(nodeHost(folder), join(folder, WEIGHTS));
  const tensors = [...file.tensors.values()].map((entry) => {
    const bytes = file.read(entry).slice();
    change(new Float32Array(bytes.buffer), entry.name);
    return { ...entry, chunks: () => [bytes] };
  });
  write(WEIGHTS, Buffer.concat([...safetensorsChunks(tensors)]));
}

const firstWeight =
  (value: number): Situation =>
  (ground) => {
    withWeights(ground, (values, name) => {
      if (name.endsWith('0.mlp.up_proj.weight')) values[0] = value;
    });
    return undefined;
  };

export const MODELS: Situations = {
  FTP0706: (ground) => {
    withWeights(ground, (values) => values.fill(Number.NaN));
    return undefined;
  },
  FTP0721: firstWeight(100_000),
  FTP0722: firstWeight(Number.NaN),
  FTP0723: (ground) => {
    // Attention decides sharply, so that rounding decides otherwise.
    withWeights(ground, (values, name) => {
      if (/[qk]_proj/.test(name)) for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) * 50;
    });
    return undefined;
  },
  // The first dimension decides, in which the end of an answer is the largest.
  FTP0742: (ground) => {
    withWeights(ground, (values, name) => {
      if (name === 'model.norm.weight') values.fill(0).fill(1, 0, 1);
      if (name !== 'model.embed_tokens.weight') return;
      for (let token = 0; token < 259; token++) values[token * 32] = token === 258 ? 20 : 10;
    });
    return undefined;
  },
  FTP0749: copied('peft/adapter', 'adapter'),
  FTP0759: copied('evaluation/tiny/adapter', 'adapter'),
  FTP0760: copied('evaluation/tiny/adapter', 'adapter'),
  FTP0761: copied('evaluation/tiny/adapter', 'adapter', (ground) =>
    edit(ground, 'adapter/adapter_config.json', (value) => {
      value['base_model_name_or_path'] = 'models/mistral-base';
    }),
  ),
  FTP0788: copied('evaluation/tiny/adapter', 'adapter'),
  FTP0838: copied('peft/adapter', 'adapter'),
  FTP0839: copied('gguf/tiny.gguf', 'model.gguf'),
  FTP0840: ({ write }) => {
    const bytes = readFileSync(fixture('gguf/tiny.gguf'));
    write('model.gguf', Buffer.from(bytes.toString('latin1').replaceAll('llama', 'lamma'), 'latin1'));
    return undefined;
  },
  FTP0841: copied('nf4/double', 'quantised', (ground) => lose(ground, 'quantised/model.safetensors')),
  FTP2070: (ground) => {
    edit(ground, 'model/config.json', (value) => {
      Object.assign(value, {
        architectures: ['SmolLM3ForCausalLM'],
        model_type: 'smollm3',
        no_rope_layers: [1, 0],
      });
    });
    return undefined;
  },
  FTP2071: (ground) => {
    edit(ground, 'model/tokenizer.json', (value) => {
      value['normalizer'] = { type: 'Lowercase' };
    });
    return undefined;
  },
  FTP2320: (ground) => {
    edit(ground, 'model/config.json', (value) => {
      Object.assign(value, {
        architectures: ['MistralForCausalLM'],
        model_type: 'mistral',
        sliding_window: 16,
      });
    });
    return undefined;
  },
  FTP0871: (ground) => {
    edit(ground, 'model/tokenizer.json', (value) => {
      const tokens = value['added_tokens'] as Record<string, unknown>[];
      tokens.push({ ...tokens[0], id: 259, content: 'MIT' });
    });
    return undefined;
  },
};
