/**
 * What tensors take with the packages that are installed, counted on tiny models (`python -m ftpc_driver probe`) in a
 * few seconds and kept in the user's cache by versions, architecture and what is asked. Where nothing can be counted,
 * plans have recorded tables.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { cacheFolder } from '../../language/host/cache-folder.js';
import { writeCachedText } from '../../language/host/cached-text.js';
import { childEnvironment } from '../../language/host/child-environment.js';
import { type Host, HostError } from '../../language/host/host.js';
import { finite, type Json, JsonFault, tryJson, version } from '../../language/host/json.js';
import { discard } from '../../language/host/own-files.js';
import { checkedText, parseChecked } from '../../language/host/self-check.js';
import { type PythonEnvironment, pythonVariables } from './environment.js';
import type { TensorCounts } from './memory/index.js';
import { pythonNeeds } from './python-environment.js';

export interface CountQuestion {
  /** The model's `config.json`. */
  readonly config: Json;
  readonly optimizer: string;
  /** Updates are those of a GPU, whose defaults differ. */
  readonly device: 'cpu' | 'cuda';
  readonly variant: {
    readonly trained: 'adapter' | 'full';
    /** Ends of the paths of the layers with an adapter; `null` where every weight is trained. */
    readonly targets: readonly string[] | null;
    readonly precision: 'f32' | 'bf16';
    readonly attention: 'eager' | 'sdpa' | 'flash_attention_2';
  };
}

const UPDATE = v.object({ event: v.literal('update'), all: finite, largest: finite });
const SAVED = v.object({
  ...{ constant: finite, hidden: finite, queries: finite, keys: finite, inner: finite },
  ...{ heads: finite, keyHeads: finite, scores: finite },
});
const BLOCK = v.object({ event: v.literal('counted'), saved: SAVED, logits: finite });
/** `null`: what blocks save could not be told. */
const KEPT = v.object({
  version: version(1),
  update: v.object({ all: finite, largest: finite }),
  block: v.nullable(v.object({ saved: SAVED, logits: finite })),
});

/** Milliseconds: imports on a machine that is busy take a while. */
const PATIENCE = 300_000;

/** Whoever plans several machines asks the same again. */
const asked = new Map<string, Promise<TensorCounts | undefined>>();

/** `undefined`: nothing could be counted. */
export function countTensors(
  host: Host,
  environment: PythonEnvironment,
  question: CountQuestion,
): Promise<TensorCounts | undefined> {
  const { torch, transformers, peft, bitsandbytes } = environment.packages;
  const key = JSON.stringify([torch, transformers, peft, bitsandbytes, question]);
  const found = asked.get(key) ?? countOnce(host, environment, question, key);
  asked.set(key, found);
  return found;
}

async function countOnce(
  host: Host,
  environment: PythonEnvironment,
  question: CountQuestion,
  key: string,
): Promise<TensorCounts | undefined> {
  const name = createHash('sha256').update(key).digest('hex').slice(0, 32);
  const path = join(cacheFolder(host), 'tensor-counts', `${name}.json`);
  const kept = keptIn(host, path);
  if (kept !== undefined) return kept;
  const counted = await count(host, environment, question);
  if (counted !== undefined)
    writeCachedText(path, checkedText({ version: 1, update: counted.update, block: counted.block ?? null }));
  return counted;
}

async function count(
  host: Host,
  environment: PythonEnvironment,
  { variant, ...question }: CountQuestion,
): Promise<TensorCounts | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-count-'));
  try {
    const file = join(folder, 'question.json');
    writeFileSync(file, JSON.stringify({ ...question, variants: [variant] }));
    const lines = (await answerOf(host, environment, file)).split('\n');
    const update = lines.flatMap((line) => tryJson(UPDATE, line) ?? [])[0];
    const block = lines.flatMap((line) => tryJson(BLOCK, line) ?? [])[0];
    if (update === undefined) return undefined;
    return {
      update: { all: update.all, largest: update.largest },
      ...(block && { block: { saved: block.saved, logits: block.logits } }),
    };
  } finally {
    discard(folder);
  }
}

/** What it says; nothing where it does not start, or takes too long. */
const answerOf = (host: Host, environment: PythonEnvironment, file: string): Promise<string> =>
  new Promise((resolve) => {
    const child = spawn(environment.python, ['-m', 'ftpc_driver', 'probe', file], {
      env: childEnvironment({ ...pythonVariables(host, environment), CUDA_VISIBLE_DEVICES: '' }, pythonNeeds),
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: PATIENCE,
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
    child.once('error', () => resolve(''));
    child.once('close', () => resolve(said));
  });

function keptIn(host: Host, path: string): TensorCounts | undefined {
  try {
    const kept = parseChecked(KEPT, host.readText(path));
    if (kept instanceof JsonFault) return undefined;
    return { update: kept.update, ...(kept.block && { block: kept.block }) };
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
