/** Opens what llama.cpp answers with. */
import { join } from 'node:path';
import type { Answerer } from '../../compute/evaluation/chat.js';
import { classifierAsked } from '../../compute/evaluation/evaluation-diagnostics.js';
import { cacheBytesPerToken } from '../../compute/evaluation/generation/generate.js';
import { hasNewTokens } from '../../compute/models/added-tokens.js';
import { expectedTensors } from '../../compute/models/architectures/index.js';
import { ggufAt } from '../../compute/models/config-at.js';
import type { ModelFolder } from '../../compute/models/load.js';
import { openModelAt } from '../../compute/models/open.js';
import { readTrainingPrompt } from '../../compute/models/training-prompt.js';
import type { ChatTemplate, ModelConfig, Tokenizer } from '../../compute/models/types.js';
import { ADAPTER_FILES } from '../../compute/packaging/adapters.js';
import { adapterGguf, exactContext, modelGguf } from '../../compute/packaging/gguf/index.js';
import { converted } from '../../compute/serving/llama-cpp/conversions.js';
import { LlamaEngine, type LlamaEngineParts } from '../../compute/serving/llama-cpp/engine.js';
import { llamaDamage, readLlama } from '../../compute/serving/llama-cpp/installed.js';
import { type LlamaModel, openLlama } from '../../compute/serving/llama-cpp/model.js';
import { servedAnswerer } from '../../compute/serving/served-answerer.js';
import type { ServingEngine } from '../../compute/serving/types.js';
import {
  llamaCannot,
  llamaOtherBeyond,
  llamaReadsOtherwise,
} from '../../language/diagnostics/catalogue/llama.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { type AnswerSource, checkedSource, templateOf } from './open-answerer.js';
import type { OpenServingOptions } from './serving-options.js';

/** Whether `auto` tries it: it is there, and the model is a file of its own format. */
export function isForLlama(host: Host, options: Omit<OpenServingOptions, 'engine'>): boolean {
  if (readLlama(host) === undefined || llamaDamage(host) !== undefined) return false;
  return isGguf(host, checkedSource(host, options));
}

const isGguf = (host: Host, { base, adapter }: AnswerSource): boolean =>
  adapter === undefined && ggufAt(host, base) !== undefined;

/** Throws a `UserError` where llama.cpp is not installed, or cannot answer with the model. */
export const openLlamaServing = async (
  host: Host,
  options: Omit<OpenServingOptions, 'engine'>,
): Promise<ServingEngine> => new LlamaEngine(await openLlamaParts(host, options));

/** Opens what answers questions of the command line with llama.cpp. Throws as {@link openLlamaServing} does. */
export async function openLlamaAnswerer(
  host: Host,
  options: Omit<OpenServingOptions, 'engine'>,
): Promise<Answerer> {
  const parts = await openLlamaParts(host, options);
  return servedAnswerer(new LlamaEngine(parts), { ...parts, vocabSize: parts.facts.vocabSize });
}

async function openLlamaParts(
  plain: Host,
  options: Omit<OpenServingOptions, 'engine'>,
): Promise<LlamaEngineParts> {
  const { folder: label, warn } = options;
  const { host, ...source } = checkedSource(plain, options);
  const { base, adapter, storage, seed } = source;
  const files = openModelAt(host, base);
  const { config } = files;
  if (config.labels !== undefined) throw classifierAsked(label);
  if (seed !== undefined) throw new UserError(llamaCannot(label, 'its weights are made here', EMBEDDED));
  if (hasNewTokens(source))
    throw new UserError(llamaCannot(label, 'its base gets tokens that are not in its file', EMBEDDED));
  if (storage === 'nf4') throw new UserError(llamaCannot(label, 'it has no NF4', MERGE));
  const tokenizer = await files.tokenizer();
  const template = templateOf(host, files, adapter, options.template);
  const { cores } = host.machine();
  const sizes = sizesOf(config, options, host);
  const exact = exactContext(config);
  if (exact !== undefined && sizes.contextTokens > exact.tokens) await warn?.(llamaOtherBeyond(label, exact));
  const model = await openLlama(host, {
    ...{ label, ...filesFor(host, label, source, files), ...sizes },
    // its threads wait for one another, so that one which another program holds up holds up all
    threads: options.threads ?? Math.max(1, cores - 1),
  });
  if (!readsAlike(model, tokenizer, template)) await warn?.(llamaReadsOtherwise(label));
  const training = readTrainingPrompt(host, adapter ?? base);
  return {
    ...{ label, model, facts: config, tokenizer, template, training },
    ...{ system: options.system, clock: host.clock },
  };
}

/** What llama.cpp reads: a GGUF file as it is, other models and adapters as files of the user's cache. */
function filesFor(
  host: Host,
  label: string,
  { base, adapter }: AnswerSource,
  model: ModelFolder,
): { readonly path: string; readonly lora?: string } {
  const type = typeOf(host, model);
  const path =
    ggufAt(host, base) ??
    converted(host, {
      ...{ label: base, form: type, sources: model.files().map(({ name }) => join(base, name)) },
      make: () => modelGguf(host, base, { type }),
    });
  if (adapter === undefined) return { path };
  const lora = converted(host, {
    ...{ label, form: JSON.stringify(['lora', model.config]) },
    sources: ADAPTER_FILES.map((name) => join(adapter, name)).filter((file) => host.stat(file) !== undefined),
    make: () => adapterGguf(host, adapter, base),
  });
  return { path, lora };
}

/** Of the machine's memory, what weights of 32 bits may take. */
const WEIGHTS_SHARE = 1 / 2;

/**
 * llama.cpp multiplies weights of 16 bits by activations of 16 bits, and then one answer in two hundred is another than
 * evaluation's. With weights of 32 bits, which take twice the memory, all are the same.
 */
function typeOf(host: Host, { config, weightFormat }: ModelFolder): 'f32' | 'f16' | 'bf16' {
  const tensors = expectedTensors(config);
  const numbers = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
  const matrices = tensors.filter(({ shape }) => shape.length === 2);
  const formats = new Set(matrices.map(({ name }) => weightFormat(name)));
  const isHalf = formats.size === 1 && (formats.has('F16') || formats.has('BF16'));
  if (!isHalf || 4 * numbers <= host.machine().memoryBytes * WEIGHTS_SHARE) return 'f32';
  return formats.has('BF16') ? 'bf16' : 'f16';
}

const EMBEDDED = 'answer with `--engine embedded`';
const MERGE = 'merge it with its base into a GGUF file, or answer with `--engine embedded`';

const ROWS = 16;
/** Sequences of a context of llama.cpp, at most (`LLAMA_MAX_SEQ`). */
const MOST_ROWS = 256;
/** Of the machine's memory, for keys and values, which llama.cpp takes when it opens a model. */
const CACHE_SHARE = 1 / 8;

/**
 * Where somebody says how long texts may be, fewer of them are answered at once; where nobody does, they are no longer than what
 * llama.cpp computes as this program does.
 */
function sizesOf(
  config: ModelConfig,
  { rows: asked = ROWS, contextTokens, cacheTokens }: Omit<OpenServingOptions, 'engine'>,
  host: Host,
): { readonly rows: number; readonly contextTokens: number } {
  const rows = Math.min(asked, MOST_ROWS);
  const affordable =
    cacheTokens ?? Math.floor((host.machine().memoryBytes * CACHE_SHARE) / cacheBytesPerToken(config));
  const wanted =
    contextTokens ??
    Math.min(Math.floor(affordable / rows), exactContext(config)?.tokens ?? Number.POSITIVE_INFINITY);
  const most = Math.min(wanted, config.maxPositions, affordable);
  const context = Math.max(1, most);
  return { rows: Math.max(1, Math.min(rows, Math.floor(affordable / context))), contextTokens: context };
}

/** Letters of several scripts, digits, spaces and line ends: what tokenizers differ in. */
const TEXT = 'It’s 12,345.67 — naïve Größe, 東京 привет 🎉\n\n  x = [1, 2];\tend  ';

/** Whether llama.cpp would read a question as it is asked here. */
function readsAlike(model: LlamaModel, tokenizer: Tokenizer, template: ChatTemplate | undefined): boolean {
  const text = template?.render([{ role: 'user', content: TEXT }], { addGenerationPrompt: true }) ?? TEXT;
  const ids = tokenizer.encode(text);
  const others = model.tokenize(text);
  return ids.length === others.length && ids.every((id, at) => id === others[at]);
}
