/** Bases of the starter's family in other sizes, of random weights: memory does not depend on what they say. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectedTensors } from '../../src/compute/models/architectures/index.js';
import { openModel } from '../../src/compute/models/load.js';
import { f32Writable, safetensorsChunks } from '../../src/compute/models/safetensors/write.js';
import { nodeHost } from '../../src/language/host/node-host.js';

const STARTER = join(nodeHost().packageFolder, 'stdlib', 'models', 'starter');

/** Into a new folder, in float32; `changes`: fields of `config.json`. */
export function writeBase(base: string, changes: Readonly<Record<string, number>>): void {
  mkdirSync(base);
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'])
    cpSync(join(STARTER, name), join(base, name));
  const config = JSON.parse(readFileSync(join(STARTER, 'config.json'), 'utf8'));
  writeFileSync(join(base, 'config.json'), JSON.stringify({ ...config, ...changes }));
  let state = 1;
  const tensors = expectedTensors(openModel(nodeHost(), base).config).map(({ name, shape, role }) => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      values[i] = role === 'norm' ? 1 : state / 2 ** 37;
    }
    return f32Writable(name, shape, values);
  });
  writeFileSync(join(base, 'model.safetensors'), Buffer.concat([...safetensorsChunks(tensors)]));
}
