import type { LoraConfig, ModelConfig } from '../../../compute/models/types.js';
import type { Stage } from '../../../language/ir/types.js';
import type { Span } from '../../../language/source/span.js';
import type { Start } from './lora.js';

/** An adapter's settings, and what they are checked against. */
export interface LoraCase {
  readonly stage: Stage;
  readonly config: ModelConfig;
  /** Name of the base. */
  readonly base: string;
  readonly lora: LoraConfig;
  readonly start: Start | undefined;
  /** The place of a setting in the file: `lora.targets.0`. */
  at(path: string): Span;
}
