import { virtualTokensOf } from '../../models/adapters/prompt.js';
import type { LoraConfig } from '../../models/types.js';
import type { AdapterBase } from './config-file.js';

const KINDS = {
  lora: { tag: 'lora', title: 'LoRA adapter' },
  prompt: { tag: 'prompt-tuning', title: 'Prompt' },
  prefix: { tag: 'prefix-tuning', title: 'Prefix' },
};

/** The model card of an adapter folder: front matter that the Hub reads, and how to load it. */
export function modelCard(lora: LoraConfig, base: AdapterBase, licence?: string): string {
  const name = base.name ?? '';
  const { tag, title } =
    lora.virtualTokens !== undefined ? KINDS.prompt : lora.prefix !== undefined ? KINDS.prefix : KINDS.lora;
  return `${front(base, { library: 'peft', tag, licence })}
# ${title} for ${name === '' ? 'a base model' : name}

| | |
|---|---|
${factsOf(lora)
  .map(([fact, value]) => `| ${fact} | ${value} |`)
  .join('\n')}

\`\`\`python
from peft import PeftModel
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(BASE)
model = PeftModel.from_pretrained(model, ADAPTER)
\`\`\`
`;
}

export interface Front {
  readonly library: string;
  /** The kind of adapter. */
  readonly tag: string;
  readonly licence?: string;
}

/** What the Hub reads. */
export function front({ name }: AdapterBase, { library, tag, licence }: Front): string {
  return `---
base_model: ${quote(name ?? '')}
library_name: ${library}
${licence === undefined ? '' : `license: ${quote(licence)}\n`}pipeline_tag: text-generation
tags:
- ${quote(`base_model:adapter:${name ?? ''}`)}
- ${tag}
- transformers
---
`;
}

const factsOf = (lora: LoraConfig): readonly (readonly [string, string | number])[] =>
  virtualTokensOf(lora) > 0
    ? [['Virtual tokens', virtualTokensOf(lora)]]
    : [
        ['Rank', lora.rank],
        ['Alpha', lora.alpha],
        ['Dropout', lora.dropout],
        ['Modules', [...lora.targets].sort().join(', ')],
        ...(lora.modulesToSave === undefined
          ? []
          : [['Trained whole', [...lora.modulesToSave].sort().join(', ')] as const]),
      ];

/** A YAML scalar in single quotes. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "''").replace(/\s+/g, ' ')}'`;
}
