import type { Host } from '../../language/host/host.js';
import type { Json } from '../../language/host/json.js';
import { expectedTensors, type NamedShape } from './architectures/index.js';
import {
  type LoadedTemplate,
  readChatTemplate,
  readTokens,
  type SpecialTokens,
} from './chat-template/index.js';
import { readConfig } from './config/index.js';
import type { PlacedTensor } from './gguf/layout.js';
import { moduleNames } from './module-names.js';
import { lacking, readJsonFile, readTextFile } from './read-file.js';
import { openTensorSource } from './safetensors/read.js';
import { readTokenizerJson } from './tokenizer/file.js';
import { type ModelConfig, ModelError, type Tokenizer, type WeightStore } from './types.js';
import { safetensorsSource } from './weights/bitsandbytes.js';
import {
  checkTensors,
  type FormatOf,
  type LoadOptions,
  loadTensors,
  quantiseNamed,
  type Storage,
  tensorsToQuantise,
} from './weights/load.js';
import type { DoubleNf4 } from './weights/nf4-quantise.js';
import type { SourceTensor, WeightSource } from './weights/stored-tensor.js';

interface ModelFile {
  /** Name in the folder. */
  readonly name: string;
  readonly bytes: number;
}

/** What a model has besides weights; tokenizer and template are read when they are asked for. */
export interface ModelFiles {
  /** The folder, or the GGUF file. */
  readonly path: string;
  /** What `config.json` says, or would say. Throws a {@link ModelError}. */
  configJson(): Json;
  /** The other files that a folder of a model made from this one needs: tokenizer, template, generation settings, licence. */
  companions(): readonly Companion[];
  /** Files that decide what the model does, sorted by name: what a digest is made of. */
  files(): readonly ModelFile[];
  tokenizer(): Promise<Tokenizer>;
  /** What `tokenizer.json` says, of a model that has one; of a GGUF file it is not there. Throws a {@link ModelError}. */
  tokenizerJson?(): Json;
  /** Tokens that the model's own files do not have. */
  readonly addedTokens?: readonly string[];
  template(): LoadedTemplate | undefined;
  /** `bos_token`, `eos_token` and the like, for a template that is not the model's own. */
  specialTokens(): SpecialTokens;
  /** `license` of the model card, as it is written there. */
  licence(): string | undefined;
}

/** How many tokens and merges a vocabulary has. */
export interface VocabularySize {
  readonly tokens: number;
  readonly merges: number;
}

/** A model, in Hugging Face layout or in a GGUF file, whose architecture this program has a graph for. */
export interface ModelFolder extends ModelFiles {
  readonly config: ModelConfig;
  /** Of a GGUF file whose vocabulary is one of pairs. */
  readonly vocabulary?: VocabularySize | undefined;
  /** Where the tensors are in a GGUF file, if it is one. */
  readonly gguf?: readonly PlacedTensor[];
  /** Checks, without reading any data, that every tensor is there with its shape; throws a {@link ModelError}. */
  checkWeights(): void;
  /** The tensors as their files have them; nothing is read yet. Throws a {@link ModelError}. */
  source(): WeightSource;
  /** The format of a tensor in the files: what storage `stored` would hold. Throws a {@link ModelError}. */
  weightFormat: FormatOf;
  /**
   * Checks, then reads all tensors. Throws a {@link ModelError} before anything is read if a tensor is missing or misshapen.
   */
  loadWeights(storage: Storage, options?: LoadOptions): WeightStore;
  /** The tensors that storage `nf4` quantises. */
  toQuantise(): readonly NamedShape[];
  /**
   * One of them in NF4, in memory that threads share if it is to be: what {@link loadWeights} takes as `quantised`.
   * Throws a {@link ModelError}.
   */
  quantise(name: string, shared?: boolean): DoubleNf4;
}

/** Opens a model folder and reads its config. Throws a {@link ModelError}. */
export function openModel(host: Host, folder: string): ModelFolder {
  if (host.stat(`${folder}/config.json`) === undefined) throw noModel(host, folder);
  const config = readConfig(host, folder);
  return {
    ...folderFiles(host, folder, config),
    config,
    ...weightAccess(folder, config, () => safetensorsSource(openTensorSource(host, folder))),
  };
}

/** Why a folder cannot be opened that has neither a config nor a single GGUF file. */
function noModel(host: Host, folder: string): ModelError {
  const refusal = (detail: string, help: string) => new ModelError('model_not_found', folder, detail, help);
  const files = host.stat(folder) === undefined ? [] : host.list(folder);
  const gguf = files.filter((name) => /\.gguf$/i.test(name)).sort();
  if (gguf.length > 1)
    return refusal(`The folder has ${gguf.length} GGUF files.`, `Name one of them, such as ${gguf[0]}.`);
  return refusal(
    lacking(host, folder, 'config.json'),
    'Give a model folder in Hugging Face layout: config.json, model.safetensors, tokenizer.json.',
  );
}

/** What a folder in Hugging Face layout has besides weights. */
export function folderFiles(
  host: Host,
  folder: string,
  { vocabSize }: Pick<ModelConfig, 'vocabSize'>,
): ModelFiles {
  return {
    path: folder,
    configJson: () =>
      readJsonFile(host, `${folder}/config.json`, { code: 'model_config', maxBytes: MAX_CONFIG_BYTES }),
    companions: () => folderCompanions(host, folder),
    files: () => modelFiles(host, folder),
    ...(host.stat(`${folder}/tokenizer.json`) !== undefined && {
      tokenizerJson: () => readTokenizerJson(host, `${folder}/tokenizer.json`),
    }),
    async tokenizer() {
      const path = `${folder}/tokenizer.json`;
      if (host.stat(path) === undefined) {
        const { idsOnly } = await import('./tokenizer/ids-only.js');
        return idsOnly(host, path, vocabSize);
      }
      const { loadTokenizer } = await import('./tokenizer/tokenizer.js');
      return loadTokenizer(host, folder);
    },
    template: () => readChatTemplate(host, folder),
    specialTokens: () => readTokens(host, folder),
    licence: () => readLicence(host, folder),
  };
}

/** What a model can do with its weights once its source is known; the source is opened on first use. */
export function weightAccess(
  origin: string,
  config: ModelConfig,
  openSource: () => WeightSource,
): Pick<ModelFolder, 'checkWeights' | 'source' | 'weightFormat' | 'loadWeights' | 'toQuantise' | 'quantise'> {
  let opened: WeightSource | undefined;
  const source = (): WeightSource => {
    opened ??= withPrefix(openSource(), config);
    return opened;
  };
  return {
    source,
    checkWeights: () => checkTensors(origin, source(), config),
    weightFormat(name) {
      const tensor = source().get(name);
      if (tensor === undefined) checkTensors(origin, source(), config);
      return tensor?.format() ?? 'F32';
    },
    loadWeights: (storage, options) => loadTensors(origin, source(), config, storage, options),
    toQuantise: () => tensorsToQuantise(config, (name) => source().get(name)?.format() ?? 'F32'),
    quantise: (name, shared) => quantiseNamed(source(), config, name, shared),
  };
}

/** Files of a model without its head, such as GPT-2's own, leave the first part of every name out. */
function withPrefix(source: WeightSource, config: ModelConfig): WeightSource {
  if (config.foreign !== undefined) {
    const nameOf = moduleNames(source.keys());
    return new Map([...source].map(([file, tensor]) => [nameOf(file), { ...tensor, name: nameOf(file) }]));
  }
  const found = expectedTensors(config).flatMap(({ name }): [string, SourceTensor][] => {
    const tensor = source.get(name) ?? source.get(name.slice(name.indexOf('.') + 1));
    return tensor === undefined ? [] : [[name, { ...tensor, name }]];
  });
  return new Map([...source, ...found]);
}

const MAX_CONFIG_BYTES = 10_000_000;
const MODEL_FILE = /\.(?:safetensors|json|jinja)$/;

function modelFiles(host: Host, folder: string): readonly ModelFile[] {
  return host
    .list(folder)
    .filter((name) => MODEL_FILE.test(name))
    .flatMap((name) => {
      const stat = host.stat(`${folder}/${name}`);
      return stat === undefined || stat.isFolder ? [] : [{ name, bytes: stat.size }];
    });
}

/** `license:` in the YAML front matter of README.md; a card without one says nothing. */
function readLicence(host: Host, folder: string): string | undefined {
  const path = `${folder}/README.md`;
  if (host.stat(path) === undefined) return undefined;
  const text = readTextFile(host, path, { code: 'model_config', maxBytes: 5_000_000 });
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1];
  return front === undefined ? undefined : /^license:[ \t]*['"]?([^'"\r\n]+?)['"]?[ \t]*$/m.exec(front)?.[1];
}

/** A file that is next to config and weights in a Hugging Face folder. */
export interface Companion {
  readonly name: string;
  read(): string | Uint8Array;
  /** The same in pieces, where it is made and takes much. */
  pieces?(): Iterable<string>;
}

/** Whoever loads a model made from this one must cut texts, render chats and end answers as before, under the same licence. */
export const COMPANION =
  /^(?:tokenizer\.json|tokenizer_config\.json|tokenizer\.model|special_tokens_map\.json|added_tokens\.json|vocab\.json|merges\.txt|chat_template\.jinja|chat_template\.json|generation_config\.json|LICEN[CS]E.*|NOTICE.*|USE_POLICY.*)$/i;

/** The companions of a folder, byte for byte. */
const folderCompanions = (host: Host, folder: string): readonly Companion[] =>
  host
    .list(folder)
    .filter((name) => COMPANION.test(name) && host.stat(`${folder}/${name}`)?.isFolder === false)
    .map((name) => ({ name, read: () => host.readBytes(`${folder}/${name}`) }));
