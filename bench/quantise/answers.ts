/** What a GGUF file answers: here, in llama.cpp and in transformers. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { evaluationDecoder } from '../../src/compute/evaluation/evaluation-decoder.js';
import { generate } from '../../src/compute/evaluation/generation/generate.js';
import { openGguf } from '../../src/compute/models/gguf/open.js';
import { openModelAt } from '../../src/compute/models/open.js';
import { type LlamaModel, openLlama } from '../../src/compute/serving/llama-cpp/model.js';
import { onnxRuntime } from '../../src/compute/tensor/runtimes/onnx/index.js';
import type { Host } from '../../src/language/host/host.js';
import { pythonOf } from './peer.js';

export interface Asked {
  readonly prompts: readonly Int32Array[];
  /** Of each answer. */
  readonly tokens: number;
  /** Whose perplexity is measured. */
  readonly text: Int32Array;
}

export interface Answered {
  /** Ids of greedy answers. */
  readonly answers: readonly (readonly number[])[];
  /** After the first prompt. */
  readonly logits: ArrayLike<number>;
  readonly perplexity: number;
}

const PROMPTS = [
  'Permission is hereby granted, free of charge, to any person',
  'The capital of France is',
  'def fibonacci(n):',
  'Once upon a time, there was a little',
];

/** Prompts, and the beginning of the licence of this program, in the tokens of a model. */
export async function askedOf(
  host: Host,
  model: string,
  { tokens, textTokens }: { readonly tokens: number; readonly textTokens: number },
): Promise<Asked> {
  const tokenizer = await openModelAt(host, model).tokenizer();
  const { beginId } = tokenizer;
  const begun = (text: string): Int32Array =>
    Int32Array.from([...(beginId === undefined ? [] : [beginId]), ...tokenizer.encode(text)]);
  const licence = host.readText(join(host.packageFolder, 'LICENSE'));
  return { prompts: PROMPTS.map(begun), tokens, text: begun(licence).slice(0, textTokens) };
}

export async function answeredHere(host: Host, path: string, asked: Asked): Promise<Answered> {
  const { config, loadWeights } = openGguf(host, path);
  const decoder = await evaluationDecoder({
    ...{ runtime: await onnxRuntime({ threads: 1 }), config, weights: loadWeights('stored') },
    storedSteps: true,
  });
  const [first = new Int32Array(1)] = asked.prompts;
  const logits = await decoder.logits({ rows: 1, length: first.length, ids: first });
  const answers = await generate(decoder, [...asked.prompts], { maxTokens: asked.tokens, stopIds: [] });
  const { sum, tokens } = await decoder.loss({
    ...{ rows: 1, length: asked.text.length, ids: asked.text, labels: asked.text },
  });
  await decoder.release();
  return {
    answers: answers.map(({ ids }) => [...ids]),
    logits: logits.subarray(logits.length - config.vocabSize),
    perplexity: Math.exp(sum / tokens),
  };
}

/** Throws a `UserError` if llama.cpp does not take the file. */
export async function answeredByLlama(
  host: Host,
  path: string,
  asked: Asked,
): Promise<Omit<Answered, 'logits'>> {
  const contextTokens = Math.max(asked.text.length, 256);
  const llama = await openLlama(host, { label: path, path, contextTokens, rows: 1, threads: 1 });
  try {
    const answers: (readonly number[])[] = [];
    for (const prompt of asked.prompts) answers.push(await greedy(llama, prompt, asked.tokens));
    const { vocabSize } = openGguf(host, path).config;
    return { answers, perplexity: await perplexity(llama, asked.text, vocabSize) };
  } finally {
    await llama.close();
  }
}

async function greedy(llama: LlamaModel, prompt: Int32Array, tokens: number): Promise<readonly number[]> {
  llama.cut(0, 0);
  const answer: number[] = [];
  let feed = Uint32Array.from(prompt);
  for (let position = 0; answer.length < tokens; ) {
    const logitsAt = [feed.length - 1];
    const [[handle] = []] = await llama.step([{ sequence: 0, position, tokens: feed, logitsAt }]);
    position += feed.length;
    const id = handle === undefined ? -1 : await llama.greedy(handle);
    answer.push(id);
    feed = Uint32Array.of(id);
  }
  return answer;
}

/** Tokens that are handed over: a likelier one is nearly always the one that follows. */
const LIKELIEST = 1024;

async function perplexity(llama: LlamaModel, text: Int32Array, vocabSize: number): Promise<number> {
  llama.cut(0, 0);
  let sum = 0;
  for (let first = 0; first < text.length; first += llama.stepTokens) {
    const tokens = Uint32Array.from(text.subarray(first, first + llama.stepTokens));
    const [handles = []] = await llama.step([
      { sequence: 0, position: first, tokens, logitsAt: [...tokens.keys()] },
    ]);
    for (const [at, handle] of handles.entries()) {
      const next = text[first + at + 1];
      if (next === undefined) continue;
      const { probability } = await llama.top(handle);
      const some = await llama.likeliest(handle, LIKELIEST);
      // they sum to 1 over the tokens that were handed over
      const found = some.ids.indexOf(next);
      const all = found < 0 ? await llama.likeliest(handle, vocabSize) : undefined;
      const share = probability / (some.probabilities[0] ?? 1);
      const own = all?.probabilities[all.ids.indexOf(next)] ?? share * (some.probabilities[found] ?? 0);
      sum -= Math.log(own);
    }
  }
  return Math.exp(sum / (text.length - 1));
}

/** A process with transformers, which reads one file after the other. */
export interface Transformers {
  /** Throws an `Error` with what Python said. */
  answered(file: string, asked: Asked): Promise<Answered>;
  close(): void;
}

export function openTransformers(host: Host, python = pythonOf(host)): Transformers {
  const script = join(host.packageFolder, 'bench', 'peers', 'gguf_answers.py');
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async answered(file, { prompts, tokens, text }) {
      const line = { file, prompts: prompts.map((ids) => [...ids]), tokens, text: [...text] };
      child.stdin.write(`${JSON.stringify(line)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(said);
      return JSON.parse(value) as Answered;
    },
    close() {
      child.stdin.end();
    },
  };
}
