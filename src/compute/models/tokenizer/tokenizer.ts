import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { isJson } from '../../../language/host/json.js';
import { readJsonFile } from '../read-file.js';
import { ModelError, type Tokenizer } from '../types.js';
import { addedTokenSplitter } from './added.js';
import { bpeEncoder, MergeError, type WordEncoder } from './bpe.js';
import { readTokenizerFile, type TokenizerFile } from './file.js';
import { loadPipeline, type Pipeline } from './pipeline.js';
import { StepError } from './steps.js';

/** The tokenizer of a model folder. Throws a {@link ModelError}. */
export async function loadTokenizer(host: Host, folder: string): Promise<Tokenizer> {
  const path = `${folder}/tokenizer.json`;
  const tokenizer = await buildTokenizer(readTokenizerFile(host, path), path);
  return withConfiguredBegin(tokenizer, host, `${folder}/tokenizer_config.json`);
}

/** `add_bos_token` of the config decides over the post-processor, as in transformers. */
function withConfiguredBegin(tokenizer: Tokenizer, host: Host, path: string): Tokenizer {
  if (host.stat(path) === undefined) return tokenizer;
  const config = readJsonFile(host, path, { code: 'model_tokenizer', maxBytes: 5_000_000 });
  if (typeof config['add_bos_token'] !== 'boolean') return tokenizer;
  const { beginId: _, ...others } = tokenizer;
  const bos = isJson(config['bos_token']) ? config['bos_token']['content'] : config['bos_token'];
  const id = typeof bos === 'string' ? tokenizer.idOf(bos) : undefined;
  return config['add_bos_token'] && id !== undefined ? { ...others, beginId: id } : others;
}

/** A tokenizer from the content of its file; `path` is what errors name. */
export async function buildTokenizer(file: TokenizerFile, path: string): Promise<Tokenizer> {
  const failed = (detail: string): ModelError =>
    new ModelError(
      'model_tokenizer',
      path,
      detail,
      'Download the tokenizer.json again, or use one of a supported kind.',
    );
  let pipeline: Pipeline;
  try {
    pipeline = await loadPipeline(file.pipeline);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof StepError) throw failed(`The tokenizer is not loaded: ${error.message}.`);
    throw failed(
      `The tokenizer has an unsupported step: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  try {
    return assemble(file, pipeline, bpeEncoder(file.model));
  } catch (error) {
    if (error instanceof MergeError) throw failed(`The merges are broken: ${error.message}.`);
    throw error;
  }
}

function assemble(file: TokenizerFile, pipeline: Pipeline, encodeWord: WordEncoder): Tokenizer {
  const ids = new Map(file.model.vocab);
  const tokens = new Map<number, string>();
  for (const [token, id] of file.model.vocab) tokens.set(id, token);
  /** What the decoder gets: it undoes the normalisation, so a normalised token goes in normalised. */
  const decodable = new Map(tokens);
  const special = new Set<number>();
  for (const { content, id, normalized, special: isSpecial } of file.added) {
    ids.set(content, id);
    tokens.set(id, content);
    decodable.set(id, normalized ? pipeline.normalize(content) : content);
    if (isSpecial) special.add(id);
  }
  const splitRaw = addedTokenSplitter(file.added.filter((token) => !token.normalized));
  const splitNormalised = addedTokenSplitter(
    file.added.filter((token) => token.normalized),
    (token) => pipeline.normalize(token.content),
  );

  function encodeStretch(text: string, start: number, out: number[]): void {
    for (const piece of splitNormalised(pipeline.normalize(text))) {
      if ('id' in piece) out.push(piece.id);
      else {
        for (const word of pipeline.split(piece.text, start === 0 && piece.start === 0)) {
          for (const id of encodeWord(word)) out.push(id);
        }
      }
    }
  }

  return {
    encode(text) {
      const out: number[] = [];
      // A lone surrogate has no UTF-8 form.
      for (const piece of splitRaw(text.replace(/\p{Surrogate}/gu, '\uFFFD'))) {
        if ('id' in piece) out.push(piece.id);
        else encodeStretch(piece.text, piece.start, out);
      }
      return Int32Array.from(out);
    },
    decode(list, { skipSpecial = false } = {}) {
      const parts: string[] = [];
      for (const id of Array.from(list)) {
        const token = decodable.get(id);
        if (token !== undefined && !(skipSpecial && special.has(id))) parts.push(token);
      }
      return pipeline.decode(parts);
    },
    vocabSize: ids.size,
    ...(file.beginId === undefined ? {} : { beginId: file.beginId }),
    idOf: (token) => ids.get(token),
    tokenOf: (id) => tokens.get(id),
  };
}
