import type { OpenAnswererOptions } from './open-answerer.js';

/** What is opened to answer many at once, and how much it may take. */
export interface OpenServingOptions extends Omit<OpenAnswererOptions, 'engine'> {
  /** Default `auto`: llama.cpp where that is installed and the model is a GGUF file that it takes, else embedded. */
  readonly engine?: 'embedded' | 'llama.cpp' | 'auto';
  /** Sequences at most in one batch. Default 16. */
  readonly rows?: number;
  /** Tokens of a prompt and its answer, at most. Default: the model's positions, or what the caches have room for. */
  readonly contextTokens?: number;
  /**
   * Tokens whose keys and values are held at most. Default: what an eighth of the machine's memory takes, or as many as
   * can be used.
   */
  readonly cacheTokens?: number;
  /** The system message of messages that begin with none; `false`: none. Default: training's, where all rows had the same. */
  readonly system?: string | false;
}
