import type { AdapterKind } from '../../models/adapters/config.js';
import type { PeftFormat, PeftReader } from './format.js';
import { headFormat, loraFormat } from './lora.js';
import { prefixFormat, promptFormat } from './virtual-tokens.js';

export const PEFT_FORMATS = {
  lora: loraFormat,
  head: headFormat,
  prompt: promptFormat,
  prefix: prefixFormat,
} satisfies { readonly [K in AdapterKind]?: PeftFormat<K> };

/** By the `peft_type` of their files. */
export const PEFT_READERS: ReadonlyMap<unknown, PeftReader> = new Map(
  Object.values(PEFT_FORMATS).flatMap(({ reader }: { readonly reader?: PeftReader }) =>
    reader === undefined ? [] : [[reader.type, reader]],
  ),
);
