/** Pipelines that are planned and run: the templates of `ftpc init`, and one over a base that is large for its rows. */
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHost } from '../../src/language/host/node-host.js';
import type { RuntimeName } from '../../src/language/ir/runtimes.js';
import { writeBase } from './bases.js';
import { writeRows } from './rows.js';

export interface PlannedPipeline {
  readonly title: string;
  /** Arguments of `ftpc plan` and `ftpc run` after the file. */
  readonly options: readonly string[];
  /** What computes, without which it is left out; default: ONNX Runtime, whichever is the fastest here. */
  readonly runtime?: RuntimeName;
  /** The stage that is compared; default: all. */
  readonly stage?: string;
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

/** Of many steps, over rows whose lengths are spread as those of real ones are; its evaluation answers, and its adapter is merged. */
const MIXED_ROWS = 400;

const MIXED = `edition 2026
import { jsonl } from "std/data"
import { alpaca } from "std/format"
import { perplexity, rouge_l } from "std/eval"

data rows {
  source = jsonl("rows.jsonl")
  split = { train: 81%, test: 19% }
}
format texts {
  from = rows
  template = alpaca()
  max_length = 448tok
}
train adapter using lora {
  base = starter()
  dataset = texts.train
  lora = { rank: 12, dora: true }
  optimizer = adamw(rate: 1e-3)
  batch = { global: 5, micro: 5 }
  stop = { steps: 30 }
}
eval quality {
  model = adapter.last
  dataset = texts.test
  metrics = [perplexity, rouge_l]
  generation = { max_tokens: 48tok }
}
merge fused {
  base = starter()
  adapter = adapter.last
}
`;

function writeMixed(folder: string): string {
  const phrase = 'a clause of the contract ';
  writeRows(folder, 'rows.jsonl', MIXED_ROWS, (at) => ({
    instruction: `question ${at} about ${phrase.repeat(1 + ((at * at) % 29))}`,
    output: `answer ${at}: ${phrase.repeat(1 + ((at * 7) % 13))}`,
  }));
  writeFileSync(join(folder, 'mixed.ftp'), MIXED);
  return 'mixed.ftp';
}

export const PIPELINES: readonly PlannedPipeline[] = [
  ...templates().map((title) => ({
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
  { title: 'rows of many lengths, dora', options: [], write: writeMixed },
];

function writeDeep(folder: string): string {
  writeBase(join(folder, 'base'), { num_hidden_layers: LAYERS });
  writeRows(folder, 'rows.jsonl', 8, (at) => ({ instruction: `question ${at}`, output: 'an answer' }));
  writeFileSync(join(folder, 'deep.ftp'), DEEP);
  return 'deep.ftp';
}

function templates(): readonly string[] {
  const entries = readdirSync(join(STDLIB, 'templates'), { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}
