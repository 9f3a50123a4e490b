import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { isJson, type Json } from '../../../language/host/json.js';
import { discarded } from '../../tensor/garbage.js';
import { readJsonFile } from '../read-file.js';
import { KnownStretches, ModelError, type Tokenizer } from '../types.js';
import { addedTokenSplitter } from './added.js';
import { bpeEncoder, MergeError, remembering, type WordEncoder } from './bpe.js';
import { parseTokenizer, readTokenizerFile, type TokenizerFile } from './file.js';
import { loadPipeline, type Pipeline } from './pipeline.js';
import { StepError } from './steps.js';
import { spelled } from './words.js';

/** The tokenizer of a model folder. Throws a {@link ModelError}. */
export async function loadTokenizer(host: Host, folder: string): Promise<Tokenizer> {
  const path = `${folder}/tokenizer.json`;
  const tokenizer = await madeOf(() => readTokenizerFile(host, path), path);
  return withConfiguredBegin(tokenizer, host, `${folder}/tokenizer_config.json`);
}

/**
 * The tokenizer of another `tokenizer.json` of the same model, which begins texts as `original` does. Throws a
 * {@link ModelError}.
 */
export async function tokenizerOver(json: Json, path: string, original: Tokenizer): Promise<Tokenizer> {
  const { beginId: _, ...tokenizer } = await madeOf(() => parseTokenizer(json, path), path);
  return { ...tokenizer, ...(original.beginId === undefined ? {} : { beginId: original.beginId }) };
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

/** A pair of strings in a list. */
const BYTES_OF_MERGE = 100;

/** The tokenizer of a file that nothing else needs: hundreds of thousands of its strings may be collected, twice. */
export async function madeOf(read: () => TokenizerFile, path: string): Promise<Tokenizer> {
  let merges = 0;
  const make = (): Promise<Tokenizer> => {
    const file = read();
    merges = file.model.merges.length;
    discarded(BYTES_OF_MERGE * merges);
    return buildTokenizer(file, path);
  };
  const tokenizer = await make();
  discarded(BYTES_OF_MERGE * merges);
  return tokenizer;
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

function assemble(file: TokenizerFile, pipeline: Pipeline, encode: WordEncoder): Tokenizer {
  const encodeWord = remembering(encode);
  const encodePlain = remembering((word) => encode(spelled(word)));
  const { vocab, tokens } = file.model;
  const addedIds = new Map(file.added.map(({ content, id }) => [content, id]));
  const addedTokens = new Map(file.added.map(({ content, id }) => [id, content]));
  /** What the decoder gets of tokens that are looked for normalised: it undoes that. */
  const normalised = new Map(
    file.added.flatMap(({ content, id, normalized }) =>
      normalized ? [[id, pipeline.normalize(content)] as const] : [],
    ),
  );
  const special = new Set(file.added.flatMap(({ id, special: isSpecial }) => (isSpecial ? [id] : [])));
  const idOf = (token: string): number | undefined => addedIds.get(token) ?? vocab.get(token);
  const tokenOf = (id: number): string | undefined => addedTokens.get(id) ?? tokens[id];
  const splitRaw = addedTokenSplitter(file.added.filter((token) => !token.normalized));
  const splitNormalised = addedTokenSplitter(
    file.added.filter((token) => token.normalized),
    (token) => pipeline.normalize(token.content),
  );

  function encodePiece(text: string, isFirst: boolean, out: number[]): void {
    const plain = pipeline.words?.(text);
    const add = plain === undefined ? encodeWord : encodePlain;
    for (const word of plain ?? pipeline.split(text, isFirst)) {
      // a spread would put the ids of a word of a million characters on the stack
      for (const id of add(word)) out.push(id);
    }
  }

  function encodeStretch(text: string, isFirst: boolean): readonly number[] {
    const out: number[] = [];
    for (const piece of splitNormalised(pipeline.normalize(text))) {
      if ('id' in piece) out.push(piece.id);
      else encodePiece(piece.text, isFirst && piece.start === 0, out);
    }
    return out;
  }

  return {
    encode(text, known = new KnownStretches()) {
      const out: (readonly number[])[] = [];
      // A lone surrogate has no UTF-8 form.
      for (const piece of splitRaw(text.replace(/\p{Surrogate}/gu, '\uFFFD'))) {
        if ('id' in piece) out.push([piece.id]);
        else out.push(known.of(piece.text, piece.start === 0, encodeStretch));
      }
      return joined(out);
    },
    decode(list, { skipSpecial = false } = {}) {
      const parts: string[] = [];
      for (const id of Array.from(list)) {
        const token = normalised.get(id) ?? tokenOf(id);
        if (token !== undefined && !(skipSpecial && special.has(id))) parts.push(token);
      }
      return pipeline.decode(parts);
    },
    vocabSize: vocab.size + [...addedIds.keys()].filter((token) => !vocab.has(token)).length,
    specialIds: special,
    ...(file.beginId === undefined ? {} : { beginId: file.beginId }),
    idOf,
    tokenOf,
  };
}

function joined(parts: readonly (readonly number[])[]): Int32Array {
  const ids = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
  }
  return ids;
}
