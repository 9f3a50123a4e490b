import type { Json } from '../../../../language/host/json.js';
import type { ConfigReader } from '../../config/reader.js';
import type { ModelConfig } from '../../types.js';
import type { Blueprint } from '../blueprint.js';

/** A family of models: how its `config.json` is read, and what it computes. */
export interface Family {
  /** `model_type` of `config.json`. */
  readonly modelType: string;
  /** The class of transformers with a head for the next token, in `architectures` of `config.json`. */
  readonly className: string;
  /** The one with a head over labels. */
  readonly classifierName: string;
  /** Throws a `ModelError` for an option that is not understood or makes no sense. */
  readonly read: (config: ConfigReader) => ModelConfig;
  readonly blueprint: (config: ModelConfig) => Blueprint;
  /** Fields of a `config.json` that says what the config says, besides those of {@link writeShape}. */
  readonly write: (config: ModelConfig) => Json;
}
