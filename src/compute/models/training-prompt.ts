/** `training_prompt.json` next to an adapter or model: how the rows asked that it was trained on. */
import * as v from 'valibot';
import type { Host } from '../../language/host/host.js';
import { checkJson, count, JsonFault, type JsonOf, version } from '../../language/host/json.js';
import { readJsonFile } from './read-file.js';
import { type ChatMessage, ModelError } from './types.js';

/** What files of earlier versions call the base's own template. */
const BASE_TEMPLATE = 'that of the base';

/** Without a version: as a format stage hands it on. */
export const ROW_PROMPT = v.object({
  /** `chat`: by a chat template; `text`: the answer continues the question. */
  style: v.picklist(['chat', 'text']),
  /** For people: `chatml`, `alpaca`, `completion`, a file; `null`: the base's own. */
  template: v.nullable(v.string()),
  /**
   * System prompts of the rows that are trained on, the most frequent first; `null`: rows without one. At most
   * {@link MOST_SYSTEMS}.
   */
  systems: v.array(v.object({ text: v.nullable(v.string()), rows: count })),
  /** Rows whose system prompt is none of those. */
  otherRows: count,
  /** Texts that end an answer. */
  stop: v.array(v.string()),
});
export type RowPrompt = JsonOf<typeof ROW_PROMPT>;

const TRAINING_PROMPT = v.object({ version: version(1), ...ROW_PROMPT.entries });

/** More of them are only counted: rows that each have their own are answered without a default. */
export const MOST_SYSTEMS = 8;

export const TRAINING_PROMPT_FILE = 'training_prompt.json';

export const trainingPromptText = (prompt: RowPrompt): string =>
  `${JSON.stringify({ version: 1, ...prompt }, null, 2)}\n`;

/** `undefined` if the folder does not say: it is of another program, or older. Throws a {@link ModelError}. */
export function readTrainingPrompt(host: Host, folder: string): RowPrompt | undefined {
  const path = `${folder}/${TRAINING_PROMPT_FILE}`;
  if (host.stat(path) === undefined) return undefined;
  const found = checkJson(
    TRAINING_PROMPT,
    readJsonFile(host, path, { code: 'adapter_invalid', maxBytes: 5_000_000 }),
  );
  if (!(found instanceof JsonFault)) {
    const { style, template, systems, otherRows, stop } = found;
    return { style, template: template === BASE_TEMPLATE ? null : template, systems, otherRows, stop };
  }
  throw new ModelError(
    'adapter_invalid',
    path,
    `It does not say how the rows asked: ${found.detail}.`,
    'Delete the file, and say with `--system` what is to be said, or run the train stage again.',
  );
}

/** The one system prompt that every row had. */
export function systemOf(prompt: RowPrompt | undefined): string | undefined {
  const [first, second] = prompt?.systems ?? [];
  return second === undefined && prompt?.otherRows === 0 ? (first?.text ?? undefined) : undefined;
}

/** Several, or some rows with and some without: nobody can say which of them is meant. */
export const hasManySystems = ({ systems, otherRows }: RowPrompt): boolean =>
  systems.length > 1 || otherRows > 0;

/** Messages after a system prompt, unless they begin with one of their own. */
export const withSystem = (
  messages: readonly ChatMessage[],
  system: string | undefined,
): readonly ChatMessage[] =>
  system === undefined || messages[0]?.role === 'system'
    ? messages
    : [{ role: 'system', content: system }, ...messages];
