import type { ArchitectureName } from '../../types.js';
import type { Family } from './building-blocks.js';
import { gemma2 } from './gemma2.js';
import { gemma3 } from './gemma3.js';
import { gptNeox } from './gpt-neox.js';
import { gpt2 } from './gpt2.js';
import { llama } from './llama.js';
import { mistral } from './mistral.js';
import { other } from './other.js';
import { phi3 } from './phi3.js';
import { qwen2 } from './qwen2.js';
import { qwen3 } from './qwen3.js';
import { smollm3 } from './smollm3.js';

/** A new family is one file and one line here. */
export const FAMILIES: Readonly<Record<ArchitectureName, Family>> = {
  llama,
  mistral,
  qwen2,
  qwen3,
  smollm3,
  gemma2,
  gemma3,
  phi3,
  gpt2,
  gpt_neox: gptNeox,
  other,
};

export type { Family } from './building-blocks.js';
