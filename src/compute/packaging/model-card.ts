/** Texts as they may be in a model card. */

import { causalClass } from '../models/config/auto-class.js';
import type { RowPrompt } from '../models/training-prompt.js';
import type { AdapterBase } from './adapter-folder.js';
import type { CardContent } from './peft/format.js';

/** In a cell of a Markdown table. */
export const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');

/** A YAML scalar in single quotes. */
const quote = (text: string): string => `'${text.replaceAll("'", "''").replace(/\s+/g, ' ')}'`;

interface CardOptions {
  readonly base: AdapterBase;
  readonly licence?: string;
  readonly classifies: boolean;
  readonly prompt?: RowPrompt;
}

/** The model card of an adapter folder: front matter that the Hub reads, and how to load it. */
export function modelCard(
  { tag, title, facts }: CardContent,
  { base, licence, classifies, prompt }: CardOptions,
): string {
  const task = classifies ? 'text-classification' : 'text-generation';
  return `${front(base, { library: 'peft', tag, licence, task })}
# ${title} for ${base.name || 'a base model'}

${factTable(facts)}

\`\`\`python
${loading(classifies ? LOADING_LABELS : causalLoading(base), base.resized)}
\`\`\`
${promptSection(prompt)}`;
}

/** How to ask what was trained, as the rows did; nothing where they do not say. */
export function promptSection(prompt: RowPrompt | undefined): string {
  if (prompt === undefined) return '';
  const { style, template, systems, otherRows, stop } = prompt;
  const shown = systems.map(({ text }) => (text === null ? 'none' : code(text)));
  const all = otherRows > 0 ? [...shown, 'others'] : shown;
  const facts: CardContent['facts'] = [
    [all.length > 1 ? 'System prompts' : 'System prompt', all.join(', ')],
    ['Template', style === 'text' ? `${template}: the answer continues the question` : (template ?? OWN)],
    ['An answer ends at', stop.length === 0 ? 'no token' : stop.map(code).join(', ')],
  ];
  return `
## How to ask

As the rows did that it was trained on; \`ftpc generate\` and \`ftpc chat\` do so by themselves.

${factTable(facts)}
`;
}

const OWN = 'that of the base';

/** Text in a cell that is shown as it is. */
const code = (text: string): string => `\`\` ${cell(text)} \`\``;

interface WholeModel {
  readonly base: string;
  readonly licence?: string;
  readonly classifies: boolean;
  /** Its weights are not the base's. */
  readonly isTrained: boolean;
  /** What loads it, by the Hub's name; default: transformers. */
  readonly library?: 'gguf' | 'transformers';
}

/** What the Hub reads of a model that needs no other. */
export const wholeFront = ({
  base,
  licence,
  classifies,
  isTrained,
  library = 'transformers',
}: WholeModel): string => `---
base_model: ${quote(base)}
library_name: ${library}
${licence === undefined ? '' : `license: ${quote(licence)}\n`}pipeline_tag: ${classifies ? 'text-classification' : 'text-generation'}
tags:
${isTrained ? `- ${quote(`base_model:finetune:${base}`)}\n` : library === 'gguf' ? `- ${quote(`base_model:quantized:${base}`)}\n` : ''}- ${library}
---
`;

/** The model card of a model that was trained whole. */
export const trainedCard = (
  model: Omit<WholeModel, 'isTrained'>,
  prompt: RowPrompt | undefined,
): string => `${wholeFront({ ...model, isTrained: true })}
# ${model.base}, fine-tuned

Every weight was trained.
${promptSection(prompt)}`;

/** A table without a heading, as Markdown has it. */
export const factTable = (facts: CardContent['facts']): string =>
  ['| | |', '|---|---|', ...facts.map(([fact, value]) => `| ${fact} | ${value} |`)].join('\n');

const LOADING = `
from peft import PeftModel
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(BASE)
model = PeftModel.from_pretrained(model, ADAPTER)
`;

const causalLoading = ({ shape }: AdapterBase): string =>
  LOADING.replaceAll('AutoModelForCausalLM', causalClass(shape?.foreign?.modelType));

const OVER = 'model = PeftModel';

/** PEFT loads an adapter over a base with its tokens' rows; the tokenizer is in the adapter's folder. */
const loading = (text: string, resized: number | undefined): string =>
  (resized === undefined
    ? text
    : text.replace(OVER, `model.resize_token_embeddings(${resized})\n${OVER}`)
  ).trim();

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

interface CardFront {
  readonly library: string;
  /** The kind of adapter. */
  readonly tag: string | undefined;
  readonly licence?: string;
  /** What the model does; default: it generates text. */
  readonly task?: string;
}

/** What the Hub reads. */
export const front = (
  { name }: AdapterBase,
  { library, tag, licence, task = 'text-generation' }: CardFront,
): string => `---
base_model: ${quote(name ?? '')}
library_name: ${library}
${licence === undefined ? '' : `license: ${quote(licence)}\n`}pipeline_tag: ${task}
tags:
- ${quote(`base_model:adapter:${name ?? ''}`)}
${tag === undefined ? '' : `- ${tag}\n`}- transformers
---
`;
