/** Pipelines that are planned and run: the templates of `ftpc init`, and one over a base that is large for its rows. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectedTensors } from '../../src/compute/models/architectures/index.js';
import { openModel } from '../../src/compute/models/load.js';
import { f32Writable, safetensorsChunks } from '../../src/compute/models/safetensors/write.js';
import { nodeHost } from '../../src/language/host/node-host.js';

export interface PlannedPipeline {
  readonly title: string;
  /** Arguments of `ftpc plan` and `ftpc run` after the file. */
  readonly options: readonly string[];
  /** Writes the pipeline with its rows into an empty folder; gives its file. */
  readonly write: (folder: string) => string;
}

const STDLIB = join(nodeHost().packageFolder, 'stdlib');

/** Of the deep base: 69 MiB of float32, where the rows need little. */
const LAYERS = 44;

const DEEP = `edition 2026
import { jsonl } from "std/data"
import { chat } from "std/format"
import { perplexity } from "std/eval"

data rows {
  source = jsonl("rows.jsonl")
}
format dialogs {
  from = rows
  template = chat()
  max_length = 64tok
}
train adapter using lora {
  base = local("base")
  dataset = dialogs.all
  lora = { rank: 2, alpha: 4 }
  optimizer = adamw(rate: 1e-3)
  batch = { global: 2, micro: 2 }
  stop = { steps: 2 }
}
eval quality {
  model = adapter.last
  dataset = dialogs.all
  metrics = [perplexity]
  generation = { max_tokens: 2tok, rows: 2 }
}
merge fused {
  base = local("base")
  adapter = adapter.last
}
`;

export const PIPELINES: readonly PlannedPipeline[] = [
  ...readdirSync(join(STDLIB, 'templates')).map((title) => ({
    title,
    options: [],
    write: (folder: string) => {
      const template = join(STDLIB, 'templates', title);
      cpSync(template, folder, { recursive: true });
      const isPipeline = (name: string) => name.endsWith('.ftp') && !name.endsWith('.test.ftp');
      return readdirSync(template).find(isPipeline) ?? '';
    },
  })),
  { title: 'a deep base', options: [], write: writeDeep },
  { title: 'a deep base, read a block at a time', options: ['--memory', '200MiB'], write: writeDeep },
];

function writeDeep(folder: string): string {
  writeDeepBase(join(folder, 'base'), LAYERS);
  const row = (index: number) => JSON.stringify({ instruction: `question ${index}`, output: 'an answer' });
  writeFileSync(join(folder, 'rows.jsonl'), Array.from({ length: 8 }, (_, index) => row(index)).join('\n'));
  writeFileSync(join(folder, 'deep.ftp'), DEEP);
  return 'deep.ftp';
}

/** The starter with so many layers, of random weights. */
export function writeDeepBase(base: string, layers: number): void {
  const starter = join(STDLIB, 'models', 'starter');
  mkdirSync(base);
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'])
    cpSync(join(starter, name), join(base, name));
  const config = JSON.parse(readFileSync(join(starter, 'config.json'), 'utf8'));
  writeFileSync(join(base, 'config.json'), JSON.stringify({ ...config, num_hidden_layers: layers }));
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
