import type { Host } from '../../../language/host/host.js';
import type { Json } from '../../../language/host/json.js';
import { FAMILIES, type Family } from '../architectures/families/index.js';
import { foreignConfig, type TensorShapes } from '../foreign.js';
import { CLASSES, labelsIn, problemType } from '../label-names.js';
import { readJsonFile } from '../read-file.js';
import { type ModelConfig, ModelError } from '../types.js';
import { weightShapes } from '../weights/bitsandbytes.js';
import { ConfigReader } from './reader.js';

const MAX_BYTES = 10_000_000;

function once<T>(read: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => {
    found ??= { value: read() };
    return found.value;
  };
}

/**
 * Reads `config.json` in the form of transformers 4 or 5, and the end-of-text ids of `generation_config.json`. Throws a
 * `ModelError`: `model_unsupported` for a model of another kind, `model_config` for a value that makes no sense.
 */
export function readConfig(host: Host, folder: string): ModelConfig {
  const path = `${folder}/config.json`;
  const json = readJsonFile(host, path, { code: 'model_config', maxBytes: MAX_BYTES });
  const config = parseConfig(
    json,
    path,
    once(() => weightShapes(host, folder)),
  );
  const generation = `${folder}/generation_config.json`;
  if (host.stat(generation) === undefined) return config;
  const more = readJsonFile(host, generation, { code: 'model_config', maxBytes: MAX_BYTES });
  const eos = new ConfigReader(more, generation).tokenIds('eos_token_id', config.vocabSize);
  return eos.length === 0 ? config : { ...config, eosTokenIds: eos };
}

/** The config from the object that `config.json` holds; `path` is what errors name. */
export function parseConfig(json: Json, path: string, tensors: TensorShapes = none): ModelConfig {
  const reader = new ConfigReader(json, path);
  // told first of what is not read
  const quantised = isInFourBits(reader);
  const config = readModel(reader, tensors);
  return quantised ? { ...config, isInFourBits: true } : config;
}

/** However its weights are stored. */
function readModel(reader: ConfigReader, tensors: TensorShapes): ModelConfig {
  const { json } = reader;
  const orForeign = <T>(read: () => T): T | ModelConfig => {
    try {
      return read();
    } catch (error) {
      if (error instanceof ModelError && error.code === 'model_unsupported')
        return foreignConfig(json, error, tensors);
      throw error;
    }
  };
  const family = orForeign(() => reader.choice('model_type', BY_TYPE, ''));
  if ('architecture' in family) return family;
  const labels = checkClass(reader, family);
  const config = orForeign(() => family.read(reader));
  return labels === undefined ? config : { ...config, labels };
}

const none: TensorShapes = () => [];

const { other: _, ...OWN } = FAMILIES;
const BY_TYPE: Readonly<Record<string, Family>> = Object.fromEntries(
  Object.values(OWN).map((family) => [family.modelType, family]),
);

/** The labels of a classifier. Throws a `ModelError` for a model that predicts neither tokens nor labels. */
function checkClass(reader: ConfigReader, family: Family): readonly string[] | undefined {
  const classes = reader.list('architectures');
  if (classes?.includes(family.classifierName)) return readLabels(reader);
  if (classes !== undefined && !classes.includes(family.className))
    reader.unsupported('architectures', `it must have ${family.className} or ${family.classifierName}`);
  return undefined;
}

/** Of a classifier: a file without `id2label` has the two classes of transformers' default. */
function readLabels(reader: ConfigReader): readonly string[] {
  if (!reader.has('id2label')) {
    reader.only('problem_type', [CLASSES]);
    return ['LABEL_0', 'LABEL_1'];
  }
  const labels =
    labelsIn(reader.json) ??
    reader.wrong('id2label', 'an object with a name of its own for every number from 0');
  reader.only('problem_type', labels.length === 1 ? [problemType(labels), CLASSES] : [CLASSES]);
  return labels;
}

/** bitsandbytes' 4 bits are read, and no other; which kind a weight has is next to it. */
function isInFourBits(reader: ConfigReader): boolean {
  const how = reader.record(QUANTISED);
  if (how === undefined) return false;
  if (how['quant_method'] === 'bitsandbytes' && how['load_in_4bit'] === true) return true;
  const help = 'use the weights as they were before, or let transformers save them without it';
  return reader.unsupported(
    QUANTISED,
    how['quant_method'] === 'mxfp4'
      ? `${help}: ${DEQUANTISED}`
      : `${help}; bitsandbytes with load_in_4bit is read`,
  );
}

/** How transformers turns a checkpoint like gpt-oss's into one of bfloat16. */
const DEQUANTISED =
  '`AutoModelForCausalLM.from_pretrained("FOLDER", quantization_config=Mxfp4Config(dequantize=True)).save_pretrained("OTHER")`';

const QUANTISED = 'quantization_config';

/** The same config for weights that are not quantised. */
export const unquantised = ({ [QUANTISED]: _, ...config }: Json): Json => config;
