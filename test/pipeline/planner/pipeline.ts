import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compile } from '../../../src/language/compile.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { Program } from '../../../src/language/ir/program.js';
import type { PlanOptions } from '../../../src/pipeline/planner/plan.js';
import type { LengthSurvey } from '../../../src/pipeline/stages/format/survey.js';

export const STARTER = join(nodeHost().packageFolder, 'stdlib', 'models', 'starter');

/** A whole pipeline over a model of random weights; `change` edits its text. */
export const TEXT = `edition 2026
import { jsonl } from "std/data"
import { chat } from "std/format"
import { perplexity, rouge_l } from "std/eval"

data rows {
  source = jsonl("data/*.jsonl")
  dedupe = [exact]
  split = { train: 80%, valid: 10%, test: 10% }
}
format dialogs {
  from = rows
  template = chat(system: file("prompt.md"))
  max_length = 256tok
}
train adapter {
  base = untrained("${STARTER}", seed: 1)
  dataset = dialogs.train
  validate = dialogs.valid
  lora = { rank: 16, alpha: 32, dropout: 5% }
  optimizer = adamw(rate: 2e-3)
  batch = { global: 16 }
  stop = { epochs: 2 }
  fallback = [checkpointing, smaller_micro_batch, qlora, shorten(min: 128tok), lower_rank(min: 8)]
}
eval quality {
  model = adapter.best
  dataset = dialogs.test
  baseline = untrained("${STARTER}", seed: 1)
  metrics = [perplexity, rouge_l]
  require perplexity < baseline.perplexity
}
merge fused {
  base = untrained("${STARTER}", seed: 1)
  adapter = adapter.best
}
deploy local {
  model = fused
  when = quality.passed
  target = directory("releases")
}
budget machine {
  require peak_memory <= 2GiB
  require wall_time <= 10h
}
`;

export interface Folder {
  readonly path: string;
  readonly host: Host;
  write(name: string, content: string): void;
  program(text?: string, file?: string): Program;
  remove(): void;
}

export function pipelineFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'ftpc-plan-'));
  const write = (name: string, content: string): void => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  };
  const host = nodeHost(path);
  for (const name of ['a', 'b'])
    write(
      `data/${name}.jsonl`,
      Array.from({ length: 200 }, (_, row) =>
        JSON.stringify({ instruction: `question ${name} ${row}`, output: `answer ${row}` }),
      ).join('\n'),
    );
  write('prompt.md', 'Answer briefly.');
  return {
    path,
    host,
    write,
    program(text = TEXT, file = 'pipeline.ftp') {
      write(file, text);
      const { program, diagnostics } = compile(host, file);
      if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
      return program;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** 400 rows of 241 to 250 tokens: no cut of a batch saves padding. */
export const SURVEY: LengthSurvey = {
  rows: 400,
  expected: { train: 320, valid: 40, test: 40, all: 400 },
  sampled: 400,
  longest: 250,
  tokens: 400 * 245,
  supervised: 400 * 60,
  histogram: [...new Array<number>(15).fill(0), 400],
};

/** Nothing is tokenized, nothing is timed. */
export const QUICK: PlanOptions = {
  runtime: { name: 'onnx', version: '1.0.0' },
  survey: async () => SURVEY,
  speed: async () => ({ flopsPerSecond: 1e11 }),
};
