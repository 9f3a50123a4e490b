import type { ModelConfig } from '../../models/types.js';

/** What an adapter folder says of its base. */
export interface AdapterBase {
  /** Name or path of the base model. */
  readonly name: string | null;
  readonly revision: string | null;
  /** Whether its linear layers are stored as `[inputs, outputs]`, which PEFT calls fan-in, fan-out. */
  readonly transposed?: boolean;
  /** Heads that a prefix has keys and values for. */
  readonly prefixHeads?: number;
  /** Its config: what is written of its shape beside virtual tokens or bottlenecks. */
  readonly shape?: ModelConfig;
}

/** Release of PEFT whose `adapter_config.json` this is. */
export const PEFT_VERSION = '0.21.2';
