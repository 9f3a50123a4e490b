import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHost } from '../../../src/language/host/node-host.js';

/** A model of 27,000 random weights with a byte tokenizer. */
const MODEL = join(nodeHost().packageFolder, 'test/fixtures/evaluation/tiny/base');

const CITIES: readonly (readonly [string, string])[] = [
  ['Austria', 'Vienna'],
  ['Chile', 'Santiago'],
  ['Egypt', 'Cairo'],
  ['Ghana', 'Accra'],
  ['Japan', 'Tokyo'],
  ['Peru', 'Lima'],
];

/** `count` different rows in groups of ten, then one that is no JSON and one that repeats the first. */
export function rowsText(count: number): string {
  const rows = Array.from({ length: count }, (_, index) => {
    const [country = '', city = ''] = CITIES[index % CITIES.length] ?? [];
    return JSON.stringify({
      instruction: `${index}: capital of ${country}?`,
      output: city,
      group: `g${Math.floor(index / 10)}`,
    });
  });
  return `${[...rows, 'no JSON {', rows[0] ?? ''].join('\n')}\n`;
}

const HEAD = `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"
import { exact_match, perplexity } from "std/eval"

data rows {
  source = jsonl("data/*.jsonl")
  dedupe = [exact]
  split = { train: 80%, valid: 10%, test: 10%, by: "group" }
  require rows >= ROWS
}

format dialogs {
  from = rows
  template = chat()
  model = local("model")
  max_length = 128tok
}
`;

const TAIL = `
train adapter {
  base = local("model")
  dataset = dialogs.train
  validate = dialogs.valid
  lora = { rank: 2, alpha: 4 }
  optimizer = adamw(rate: 5e-3)
  batch = { global: 8, micro: 8 }
  stop = { steps: STEPS, epochs: 1000 }
  checkpoint = { every: 2steps, keep: 2 }
  fallback = FALLBACK
}

eval quality {
  model = adapter.best
  dataset = dialogs.test
  baseline = local("model")
  metrics = [perplexity, exact_match]
  generation = { max_tokens: 4tok, rows: 2 }
  samples = 2
  require perplexity GATE
}

merge fused {
  base = local("model")
  adapter = adapter.best
}

deploy local {
  model = fused
  when = quality.passed
  target = directory("releases/tiny")
}
`;

export interface PipelineOptions {
  readonly rows?: number;
  /** What the data stage requires. */
  readonly least?: number;
  /** With training and all that follows. */
  readonly steps?: number;
  /** What the gate asks of the perplexity. */
  readonly gate?: string;
  readonly fallback?: string;
  readonly budget?: string;
  /** What the pipeline lets tensors take on a device. */
  readonly deviceMemory?: string;
}

/** Writes `tiny.ftp` with its rows and model into a folder. */
export function writePipeline(folder: string, options: PipelineOptions = {}): void {
  const { rows = 60, least = 10, steps, gate = '< baseline.perplexity', fallback = '[]', budget } = options;
  mkdirSync(join(folder, 'data'), { recursive: true });
  writeFileSync(join(folder, 'data/rows.jsonl'), rowsText(rows));
  cpSync(MODEL, join(folder, 'model'), { recursive: true });
  const tail =
    steps === undefined
      ? ''
      : TAIL.replace('STEPS', String(steps)).replace('GATE', gate).replace('FALLBACK', fallback);
  const head = steps === undefined ? HEAD.replace(/import .*std\/eval.*\n/, '') : HEAD;
  const lines = [
    ...(budget === undefined ? [] : [`require ${budget}`]),
    ...(options.deviceMemory === undefined ? [] : [`device_memory = ${options.deviceMemory}`]),
  ];
  const limits =
    lines.length === 0 ? '' : `\nbudget machine {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
  writeFileSync(join(folder, 'tiny.ftp'), `${head.replace('ROWS', String(least))}${tail}${limits}`);
}
