/**
 * Releases of GGUF files, whose weights are asked as codes, and evaluations of them: of real models where they are fetched
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

export const CODES: readonly PlannedPipeline[] = GGUF_MODELS.filter(
  ({ path }) => path.endsWith('.gguf') && existsSync(path),
).flatMap(({ name, path }) =>
  TYPES.map((type) => ({
    title: `${name}, ${type}`,
    options: [],
    write: (folder: string) => {
      writeRows(folder, 'rows.jsonl', ROWS, (at) => ({
        instruction: `Question ${at}?`,
        output: 'An answer, which is not long.',
      }));
      writeFileSync(join(folder, 'codes.ftp'), text(path, type));
      return 'codes.ftp';
    },
  })),
);
