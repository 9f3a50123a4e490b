/** The pipeline that the tests of the server write in, and what it reads. */
import { pathToFileURL } from 'node:url';
import { Client, type ClientOptions, folderWith } from './client.js';

export const PIPELINE = `/// Answer questions about licences.
edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"
import { exact_match, perplexity } from "std/eval"
import { careful, rank } from "./shared.ftp"

param base: Model = starter()
param smoke: Bool = false

data clauses {
  source = jsonl("data/rows.jsonl")
  dedupe = [exact, near(0.9)]
  split = { train: 80%, valid: 10%, test: 10% }
  limit = smoke ? 200 : none
  require rows >= 1
}

format dialogs {
  from = clauses
  template = chat(system: file("prompts/legal.md"))
  max_length = 64tok
}

train adapter using careful {
  base = base
  dataset = dialogs.train
  validate = dialogs.valid
  lora = { rank: rank, alpha: 16 }
  optimizer = adamw(rate: 2e-4, schedule: cosine(warmup: 3%))
  batch = { global: 4 }
}

eval quality {
  model = adapter.best
  dataset = dialogs.test
  baseline = base
  metrics = [perplexity, exact_match]
  require perplexity < baseline.perplexity
}

budget machine {
  require peak_memory <= 8GiB
}
`;

export const SHARED = `edition 2026

/// Rank of every adapter.
param rank: Int = 8

/// Few passes.
preset careful for train using lora {
  stop = { epochs: 1 }
}
`;

const row = (index: number): string =>
  `${JSON.stringify({ instruction: `What is number ${index}?`, output: `It is ${index * 7}.` })}\n`;

export const FILES: Readonly<Record<string, string>> = {
  'shared.ftp': SHARED,
  'data/rows.jsonl': Array.from({ length: 40 }, (_, index) => row(index)).join(''),
  'prompts/legal.md': 'You know licences.\n',
};

export interface Bench {
  readonly client: Client;
  readonly folder: ReturnType<typeof folderWith>;
}

export async function startIn(
  files: Readonly<Record<string, string>> = FILES,
  options: ClientOptions = {},
): Promise<Bench> {
  const folder = folderWith(files);
  return { folder, client: await Client.start({ folders: [folder.path], ...options }) };
}

export const uriOf = (path: string): string => pathToFileURL(path).href;

/** The pipeline with one part of it replaced; a cursor may stand in the new part. */
export function pipelineWith(part: string, instead: string): string {
  if (!PIPELINE.includes(part)) throw new Error(`the pipeline has no \`${part}\``);
  return PIPELINE.replace(part, instead);
}
