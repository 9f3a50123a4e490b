/** Axolotl: what `type` of a data set says of rows of preferences. Formats: `docs/rlhf.qmd`, `prompt_strategies/bradley_terry/`. */
import { lookUp } from '../../../language/source/look-up.js';
import type { Dataset, Recipe } from '../recipe.js';
import { left, refused, type Verdict } from '../translation.js';
import { NONE } from './reasons.js';

type Columns = Dataset['columns'];

/** A prompt that is a text becomes a message of the user. */
const ASKED: Columns = { question: 'prompt' };

/** Columns of pairs by the variant of a type. */
const PAIRS: Readonly<Record<string, Columns>> = {
  intel: {},
  argilla_chat: {},
  ultra: {},
  icr: { question: 'input' },
  prompt_pairs: ASKED,
  argilla: { question: 'instruction', chosen: 'chosen_response', rejected: 'rejected_response' },
};

/** Of whole chats, as ORPO reads them. */
const CHATS: Readonly<Record<string, Columns>> = { argilla: {}, argilla_chat: {} };

/** Of answers that are judged. */
const JUDGED: Readonly<Record<string, Columns>> = {
  intel: {},
  ultra: ASKED,
  prompt_pairs: ASKED,
  argilla: { question: 'instruction' },
};

/** Families whose variants say what the columns are called, and the chat template that they write. */
const STYLES: Readonly<Record<string, string | undefined>> = {
  chatml: 'chatml',
  llama3: 'llama3',
  zephyr: 'zephyr',
  chat_template: undefined,
  bradley_terry: undefined,
};

export function setPreferenceType(dataset: Dataset, recipe: Recipe, type: string): Verdict {
  const [family = '', variant = 'default'] = type.split(/[.:]/);
  dataset.template = 'preference';
  if (variant === 'nectar') return refused(NONE.ranked);
  if (!Object.hasOwn(STYLES, family)) return left(OTHER);
  recipe.style ??= STYLES[family];
  // its rows have the prompt as messages
  if (family === 'chat_template' && variant === 'default') return withMessages(dataset);
  const columns =
    family === 'bradley_terry'
      ? PAIRS['icr']
      : lookUp(recipe.objective === 'kto' ? JUDGED : family === 'chat_template' ? CHATS : PAIRS, variant);
  if (columns === undefined) return left(OTHER);
  dataset.columns = { ...columns, ...dataset.columns };
  return undefined;
}

/** `field_messages` may come before the type or after it: {@link settleMessagesOfPrompt} ends it. */
function withMessages(dataset: Dataset): undefined {
  dataset.columns.prompt ??= 'messages';
  return undefined;
}

/** The column of messages is the prompt of preferences. */
export function settleMessagesOfPrompt({ template, columns }: Dataset): void {
  if (template !== 'preference' || columns.messages === undefined) return;
  columns.prompt = columns.messages;
  delete columns.messages;
}

const OTHER =
  '`preference()` reads `prompt`, `chosen` and `rejected`, or `completion` and `label`: `columns: { … }` names others';
