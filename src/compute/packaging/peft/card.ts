import { isHead } from '../../models/adapters/classifier.js';
import { virtualTokensOf } from '../../models/adapters/prompt.js';
import type { LoraConfig } from '../../models/types.js';
import { cell, quote } from '../card-text.js';
import type { AdapterBase } from './config-file.js';

const KINDS = {
  lora: { tag: 'lora', title: 'LoRA adapter' },
  classifier: { tag: 'lora', title: 'LoRA adapter and classification head' },
  head: { tag: undefined, title: 'Classification head' },
  prompt: { tag: 'prompt-tuning', title: 'Prompt' },
  prefix: { tag: 'prefix-tuning', title: 'Prefix' },
} as const;

function kindOf(lora: LoraConfig): (typeof KINDS)[keyof typeof KINDS] {
  if (lora.virtualTokens !== undefined) return KINDS.prompt;
  if (lora.prefix !== undefined) return KINDS.prefix;
  if (lora.labels === undefined) return KINDS.lora;
  return isHead(lora) ? KINDS.head : KINDS.classifier;
}

/** The model card of an adapter folder: front matter that the Hub reads, and how to load it. */
export function modelCard(lora: LoraConfig, base: AdapterBase, licence?: string): string {
  const name = base.name ?? '';
  const { tag, title } = kindOf(lora);
  const task = lora.labels === undefined ? 'text-generation' : 'text-classification';
  return `${front(base, { library: 'peft', tag, licence, task })}
# ${title} for ${name === '' ? 'a base model' : name}

| | |
|---|---|
${factsOf(lora)
  .map(([fact, value]) => `| ${fact} | ${value} |`)
  .join('\n')}

\`\`\`python
${(lora.labels === undefined ? LOADING : LOADING_LABELS).trim()}
\`\`\`
`;
}

const LOADING = `
from peft import PeftModel
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(BASE)
model = PeftModel.from_pretrained(model, ADAPTER)
`;

/** The class reads the last token that is no padding, so that the base must know which token pads. */
const LOADING_LABELS = `
import json
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

labels = json.load(open(ADAPTER + "/labels.json"))
id2label = {int(number): label for number, label in labels["id2label"].items()}
model = AutoModelForSequenceClassification.from_pretrained(BASE, id2label=id2label, label2id=labels["label2id"])
model.config.pad_token_id = AutoTokenizer.from_pretrained(BASE).pad_token_id
model = PeftModel.from_pretrained(model, ADAPTER)
`;

export interface Front {
  readonly library: string;
  /** The kind of adapter. */
  readonly tag: string | undefined;
  readonly licence?: string;
  /** What the model does; left out: it writes text. */
  readonly task?: string;
}

/** What the Hub reads. */
export function front(
  { name }: AdapterBase,
  { library, tag, licence, task = 'text-generation' }: Front,
): string {
  return `---
base_model: ${quote(name ?? '')}
library_name: ${library}
${licence === undefined ? '' : `license: ${quote(licence)}\n`}pipeline_tag: ${task}
tags:
- ${quote(`base_model:adapter:${name ?? ''}`)}
${tag === undefined ? '' : `- ${tag}\n`}- transformers
---
`;
}

const factsOf = (lora: LoraConfig): readonly (readonly [string, string | number])[] =>
  virtualTokensOf(lora) > 0
    ? [['Virtual tokens', virtualTokensOf(lora)]]
    : [
        ...(isHead(lora)
          ? []
          : ([
              ['Rank', lora.rank],
              ['Alpha', lora.alpha],
              ['Dropout', lora.dropout],
              ['Modules', [...lora.targets].sort().join(', ')],
            ] as const)),
        ...(lora.labels === undefined ? [] : [['Labels', lora.labels.map(cell).join(', ')] as const]),
        ...(lora.modulesToSave === undefined
          ? []
          : [['Trained whole', [...lora.modulesToSave].sort().join(', ')] as const]),
      ];
