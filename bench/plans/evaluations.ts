/** Evaluations of rows of many tokens: their losses, answers to them, and choices between answers. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeBase } from './bases.js';
import type { PlannedPipeline } from './pipelines.js';
import { writeRows } from './rows.js';

/** Room for the answer after a row of 4,096 tokens. */
const POSITIONS = 4160;
const ROWS = 6;
const QUESTIONS = 4;
const PHRASE = 'about the law of contracts ';
/** Tokens of it, and at most of the rest of a row, by the starter's tokenizer. */
const PHRASE_TOKENS = 8;
const REST = 64;

export const EVALUATIONS: readonly PlannedPipeline[] = [2048, 4096].map((length) => ({
  title: `evaluations of ${length} tokens`,
  options: [],
  write: (folder: string) => {
    writeBase(join(folder, 'base'), { max_position_embeddings: POSITIONS });
    const text = (at: number) =>
      `question ${at} ${PHRASE.repeat(Math.floor((length - REST) / PHRASE_TOKENS))}`;
    const row = (at: number) => ({
      instruction: text(at),
      output: 'It is an answer that the court has given before.',
    });
    const choices = ['It is law.', 'It is none.', 'Perhaps so.', 'Never at all.'];
    const question = (at: number) => ({ question: text(at), choices, answer: at % choices.length });
    writeRows(folder, 'rows.jsonl', ROWS, row);
    writeRows(folder, 'questions.jsonl', QUESTIONS, question);
    writeFileSync(join(folder, 'long.ftp'), pipelineOf(length));
    return 'long.ftp';
  },
}));

const pipelineOf = (length: number): string => `edition 2026
import { jsonl } from "std/data"
import { chat, choices } from "std/format"
import { accuracy, perplexity, rouge_l } from "std/eval"

data rows {
  source = jsonl("rows.jsonl")
}
format dialogs {
  from = rows
  template = chat()
  model = local("base")
  max_length = ${length}tok
}
eval losses {
  model = local("base")
  dataset = dialogs.all
  metrics = [perplexity]
  generation = { max_tokens: 1tok, rows: 1 }
}
eval answers {
  model = local("base")
  dataset = dialogs.all
  metrics = [rouge_l]
  generation = { max_tokens: 32tok }
}
data questions {
  source = jsonl("questions.jsonl")
}
format asked {
  from = questions
  template = choices()
  model = local("base")
  max_length = ${length}tok
}
eval chosen {
  model = local("base")
  dataset = asked.all
  metrics = [accuracy]
}
`;
