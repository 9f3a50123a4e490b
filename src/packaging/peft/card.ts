import type { LoraConfig } from '../../models/types.js';
import type { AdapterBase } from './config-file.js';

/** The model card of an adapter folder: front matter that the Hub reads, and how to load it. */
export function modelCard(lora: LoraConfig, base: AdapterBase, licence?: string): string {
  const name = base.name ?? '';
  const front = [
    `base_model: ${quote(name)}`,
    'library_name: peft',
    ...(licence === undefined ? [] : [`license: ${quote(licence)}`]),
    'pipeline_tag: text-generation',
    'tags:',
    `- ${quote(`base_model:adapter:${name}`)}`,
    lora.virtualTokens === undefined ? '- lora' : '- prompt-tuning',
    '- transformers',
  ];
  return `---
${front.join('\n')}
---

# ${lora.virtualTokens === undefined ? 'LoRA adapter' : 'Prompt'} for ${name === '' ? 'a base model' : name}

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

const factsOf = (lora: LoraConfig): readonly (readonly [string, string | number])[] =>
  lora.virtualTokens !== undefined
    ? [['Virtual tokens', lora.virtualTokens]]
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
