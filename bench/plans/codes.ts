/**
 * Releases of GGUF files, whose weights are asked as codes, evaluations of them, and trainings over them: of real models where they are fetched
 * (`node scripts/models/fetch.mjs`), and of what merges make of them.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GgufType } from '../../src/compute/packaging/gguf/types.js';
import { GGUF_MODELS } from '../../test/helpers/gguf-models.js';
import type { PlannedPipeline } from './pipelines.js';
import { writeRows } from './rows.js';

const TYPES: readonly GgufType[] = ['q4_1', 'q8_0', 'q6_k', 'q4_k_m'];

const ROWS = 4;

const text = (file: string, type: GgufType): string => `edition 2026
import { jsonl } from "std/data"
import { alpaca } from "std/format"
import { perplexity, rouge_l } from "std/eval"

data rows {
  source = jsonl("rows.jsonl")
}
format texts {
  from = rows
  template = alpaca()
  model = gguf("${file}")
}
merge fused {
  base = gguf("${file}")
  dtype = ${type}
}
eval quality {
  model = fused
  dataset = texts.all
  metrics = [perplexity, rouge_l]
  generation = { max_tokens: 16tok, rows: ${ROWS} }
}
deploy live {
  model = fused
  target = directory("releases")
  smoke = "The capital of France is"
}
`;

/** Trainings of two steps, a row at a time, and about how often a row repeats its phrase of five tokens. */
const TRAININGS = {
  lora: { method: 'lora', phrases: 8 },
  qlora: { method: 'qlora', phrases: 8 },
  'lora, rows of 1,500 tokens': { method: 'lora', phrases: 280 },
} as const;
type Training = (typeof TRAININGS)[keyof typeof TRAININGS];

const trained = (file: string, { method }: Training): string => `edition 2026
import { jsonl } from "std/data"
import { alpaca } from "std/format"

data rows {
  source = jsonl("rows.jsonl")
}
format texts {
  from = rows
  template = alpaca()
  max_length = 1536tok
}
train adapter using ${method} {
  base = gguf("${file}")
  dataset = texts.all
  optimizer = adamw(rate: 1e-4)
  batch = { global: 1, micro: 1 }
  stop = { steps: 2 }
}
`;

const FILES = GGUF_MODELS.filter(({ path }) => path.endsWith('.gguf') && existsSync(path));

/** Into a folder that is to have the pipeline; each instruction says its phrase so often. */
function written(folder: string, pipeline: string, phrases: number): string {
  writeRows(folder, 'rows.jsonl', ROWS, (at) => ({
    instruction: `Question ${at}${' about the law of contracts'.repeat(phrases)}?`,
    output: 'An answer, which is not long.',
  }));
  writeFileSync(join(folder, 'codes.ftp'), pipeline);
  return 'codes.ftp';
}

export const CODES: readonly PlannedPipeline[] = FILES.flatMap(({ name, path }) => [
  ...TYPES.map((type) => ({
    title: `${name}, ${type}`,
    options: [],
    write: (folder: string) => written(folder, text(path, type), 0),
  })),
  ...Object.entries(TRAININGS).map(([title, training]) => ({
    title: `${name}: ${title}`,
    options: [],
    stage: 'adapter',
    write: (folder: string) => written(folder, trained(path, training), training.phrases),
  })),
]);
