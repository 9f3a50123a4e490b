import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '../../../src/models/safetensors/read.js';
import { safetensorsChunks } from '../../../src/models/safetensors/write.js';
import { nodeHost } from '../../../src/source/node-host.js';
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

const LOST = 'model.layers.0.mlp.down_proj.weight.absmax';

/** Writes weights without one of the tensors. */
function lose({ folder, write }: Ground, name: string): void {
  const file = openSafetensors(nodeHost(folder), join(folder, name));
  const kept = [...file.tensors.values()].filter((entry) => entry.name !== LOST);
  const chunks = safetensorsChunks(kept.map((entry) => ({ ...entry, chunks: () => [file.read(entry)] })));
  write(name, Buffer.concat([...chunks]));
}

export const MODELS: Situations = {
  FTP0706: ({ folder, write }) => {
    const weights = readFileSync(join(folder, 'model/model.safetensors'));
    weights.fill(0xff, 8 + Number(weights.readBigUInt64LE(0)));
    write('model/model.safetensors', weights);
    return undefined;
  },
  FTP0749: copied('peft/adapter', 'adapter'),
  FTP0838: copied('peft/adapter', 'adapter'),
  FTP0839: copied('gguf/tiny.gguf', 'model.gguf'),
  FTP0840: ({ write }) => {
    const bytes = readFileSync(fixture('gguf/tiny.gguf'));
    write('model.gguf', Buffer.from(bytes.toString('latin1').replaceAll('llama', 'lamma'), 'latin1'));
    return undefined;
  },
  FTP0841: copied('nf4/double', 'quantised', (ground) => lose(ground, 'quantised/model.safetensors')),
  FTP0871: (ground) => {
    edit(ground, 'model/tokenizer.json', (value) => {
      const tokens = value['added_tokens'] as Record<string, unknown>[];
      tokens.push({ ...tokens[0], id: 259, content: 'MIT' });
    });
    return undefined;
  },
};
