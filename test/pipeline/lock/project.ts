import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, freshFolder, ftpc } from '../../tools/cli/folders.js';
import { type FakeHub, type FakeRepository, fakeHub } from '../hub/server.js';

export const row = (index: number): string =>
  JSON.stringify({ instruction: `${index}: what is it?`, output: `the ${index}th` });

export const rows = (count: number): string =>
  `${Array.from({ length: count }, (_, index) => row(index)).join('\n')}\n`;

export const PIPELINE = `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"
import { careful } from "./shared.ftp"

secret hub_token = env("MY_TOKEN")
param base: Model = hf("tiny/base", token: hub_token)
param short: Bool = false

data rows {
  source = jsonl(short ? "data/short.jsonl" : "data/long-*.jsonl")
}

format dialogs {
  from = rows
  template = chat(system: file("prompts/system.md"))
  model = base
  max_length = 128tok
}

train adapter using careful {
  base = base
  dataset = dialogs.train
  lora = { rank: 2, alpha: 4 }
  batch = { global: 8, micro: 8 }
  stop = { steps: 2 }
}
`;

const SHARED = `edition 2026

preset careful for train {
  optimizer = adamw(rate: 1e-4)
}
`;

export interface Project {
  readonly folder: string;
  readonly hub: FakeHub;
  /** The variables that every command sees. */
  readonly env: Record<string, string>;
  ftpc(...words: string[]): Promise<Ended>;
  write(name: string, text: string): void;
}

/** A folder with a pipeline that reads a model of a Hub, rows, a prompt and a module. */
export async function project(...repositories: FakeRepository[]): Promise<Project> {
  const folder = freshFolder();
  const hub = await fakeHub(...repositories);
  after(() => hub.close());
  const write = (name: string, text: string): void => {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  write('p.ftp', PIPELINE);
  write('shared.ftp', SHARED);
  write('prompts/system.md', 'Answer in a word.\n');
  write('data/long-1.jsonl', rows(30));
  write('data/short.jsonl', rows(10));
  const env: Record<string, string> = {
    HF_ENDPOINT: hub.endpoint,
    HF_HOME: join(folder, 'hf'),
    HF_HUB_OFFLINE: '',
    HF_HUB_CACHE: '',
    HUGGINGFACE_HUB_CACHE: '',
    MY_TOKEN: 'hf_verysecret',
  };
  return { folder, hub, env, write, ftpc: (...words) => ftpc(folder, words, env) };
}
