/** Models of any architecture: what can be said of one without a graph, which another engine may have. */
import type { Host } from '../../language/host/host.js';
import { isJson, type Json } from '../../language/host/json.js';
import { ConfigReader } from './config/reader.js';
import { isGguf } from './config-at.js';
import { labelsIn } from './label-names.js';
import { folderFiles, type ModelFiles, type ModelFolder } from './load.js';
import { openModelAt } from './open.js';
import { readJsonFile } from './read-file.js';
import { type ModelConfig, ModelError } from './types.js';

/** What is known of a model of any architecture. */
export type ModelFacts = Pick<
  ModelConfig,
  'vocabSize' | 'maxPositions' | 'bosTokenId' | 'eosTokenIds' | 'padTokenId' | 'labels'
>;

export interface AnyModel extends ModelFiles {
  readonly facts: ModelFacts;
  /** The model, where this program has a graph for its architecture. */
  readonly known?: ModelFolder;
}

const MAX_CONFIG_BYTES = 10_000_000;

/** Opens what is at a path, whatever its architecture. Throws a `ModelError`. */
export function openAnyModel(host: Host, path: string): AnyModel {
  try {
    const known = openModelAt(host, path);
    const hasGraph = known.config.foreign === undefined;
    return { ...known, facts: known.config, ...(hasGraph && { known }) };
  } catch (error) {
    const isForeign = error instanceof ModelError && error.code === 'model_unsupported';
    if (!isForeign || isGguf(host, path)) throw error;
  }
  const json = (name: string): Json =>
    readJsonFile(host, `${path}/${name}`, { code: 'model_config', maxBytes: MAX_CONFIG_BYTES });
  const generation = host.stat(`${path}/generation_config.json`) && json('generation_config.json');
  const facts = factsOf(json('config.json'), generation, path);
  return { ...folderFiles(host, path, facts), facts };
}

/** The `tokenizer.json` of a model, or what it would say; `undefined` where there is none. */
export function tokenizerText({ companions }: Pick<ModelFiles, 'companions'>): string | undefined {
  const content = companions()
    .find(({ name }) => name === 'tokenizer.json')
    ?.read();
  return content === undefined || typeof content === 'string'
    ? content
    : Buffer.from(content).toString('utf8');
}

/** Names of the longest text's length. */
const POSITIONS = ['max_position_embeddings', 'n_positions', 'max_sequence_length', 'seq_length', 'n_ctx'];
const POSITIONS_DEFAULT = 2048;

/** Of a `config.json` whose text part may be a record of its own, as where a model also sees. */
function factsOf(config: Json, generation: Json | undefined, path: string): ModelFacts {
  const inner = config['text_config'];
  const reader = new ConfigReader(isJson(inner) ? { ...config, ...inner } : config, `${path}/config.json`);
  const vocabSize = reader.whole('vocab_size');
  const positions = POSITIONS.find((name) => reader.has(name));
  const more = new ConfigReader(generation ?? {}, `${path}/generation_config.json`);
  const eos = more.tokenIds('eos_token_id', vocabSize);
  const classes = reader
    .list('architectures')
    ?.some((name) => /ForSequenceClassification$/.test(String(name)));
  return {
    vocabSize,
    maxPositions: positions === undefined ? POSITIONS_DEFAULT : reader.whole(positions),
    bosTokenId: reader.tokenIds('bos_token_id', vocabSize)[0] ?? null,
    eosTokenIds: eos.length > 0 ? eos : reader.tokenIds('eos_token_id', vocabSize),
    padTokenId: reader.tokenIds('pad_token_id', vocabSize)[0] ?? null,
    ...(classes === true ? { labels: labelsIn(config) ?? ['LABEL_0', 'LABEL_1'] } : {}),
  };
}
