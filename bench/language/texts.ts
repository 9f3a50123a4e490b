/** Pipelines of a given size: what a text of many stages costs, and one with a mistake on every line. */

/** As long as a pipeline that people write: every kind of block once, 64 lines. */
export function pipelineOf64Lines(): string {
  return `${['/// Answer questions about licences.', 'edition 2026', '', IMPORTS, '', PARAMS, '', group(''), BUDGET].join('\n')}\n`;
}

const IMPORTS = `import { jsonl } from "std/data"
import { chat } from "std/format"
import { exact_match, rouge_l, perplexity } from "std/eval"`;

const PARAMS = `param base: Model = starter()
param smoke: Bool = false`;

const BUDGET = `budget machine {
  require peak_memory <= 8GiB
  require wall_time <= 10h
}`;

/** A chain of stages from rows to a release: 49 lines. */
const group = (id: string): string => `data clauses${id} {
  source = jsonl("data/legal/*.jsonl")
  dedupe = [exact, near(0.9)]
  split = { train: 88%, valid: 4%, test: 8%, by: "group" }
  mix = { general: jsonl("data/general.jsonl"), share: 5% }
  limit = smoke ? 400 : none
  require rows >= 300
}

format dialogs${id} {
  from = clauses${id}
  template = chat(system: file("prompts/legal.md"))
  max_length = 256tok // longer ones are dropped
  overflow = drop
}

train adapter${id} {
  base = base
  dataset = dialogs${id}.train
  validate = dialogs${id}.valid
  lora = { rank: 16, alpha: 32, dropout: 5%, targets: all_linear }
  optimizer = adamw(rate: 3e-3, schedule: cosine(warmup: 3%), clip: 1.0)
  stop = { epochs: 2, patience: 3, wall: 6h }
  fallback = [checkpointing, qlora, shorten(min: 128tok), lower_rank(min: 8)]
}

eval quality${id} {
  model = adapter${id}.best
  dataset = dialogs${id}.test
  baseline = base
  metrics = [perplexity, exact_match(up_to: 8tok), rouge_l]
  require perplexity < baseline.perplexity
  require rouge_l - baseline.rouge_l >= (smoke ? 0 : 0.02)
}

merge fused${id} {
  base = base
  adapter = adapter${id}.best
  dtype = f16
}

deploy local${id} {
  model = fused${id}
  when = quality${id}.passed
  target = directory("releases/legal${id}")
}
`;

const head = ['edition 2026', '', IMPORTS, '', PARAMS, ''].join('\n');

/** The chain again and again, with names of its own: every kind of block. */
export const chains = (lines: number): string =>
  fill(`${head}\n`, lines, (index) => `${group(`_${index}`)}\n`);

/** Nothing but data stages. */
export const rowsOnly = (lines: number): string =>
  fill(
    'edition 2026\nimport { jsonl } from "std/data"\n',
    lines,
    (index) => `data rows_${index} {
  source = jsonl("data/general.jsonl")
  dedupe = [exact, near(0.9)]
  split = { train: 90%, valid: 5%, test: 5% }
  limit = ${index + 10}
  require rows >= 5
  require dropped <= 50%
}
`,
  );

/** A mistake in each: a file of another language. */
export const strayLines = (lines: number): string =>
  fill('edition 2026\n', lines, (index) => `stray line number ${index} of what is no pipeline\n`);

/** Stages of which every one has a mistake of syntax and one of meaning. */
export const mistakes = (lines: number): string =>
  fill(
    'edition 2026\nimport { jsonl } from "std/data"\n',
    lines,
    (index) => `data rows_${index} {
  source = jsonl("data/general.jsonl"
  dedupe = [exact, near(0.9)
  limt = ${index}
  split = { train 90%, valid: 5%, test: 5% }
}
`,
  );

function fill(start: string, lines: number, part: (index: number) => string): string {
  const parts = [start];
  let count = start.split('\n').length - 1;
  for (let index = 0; count < lines; index++) {
    const text = part(index);
    parts.push(text);
    count += text.split('\n').length - 1;
  }
  return parts.join('');
}
