/** What pads the texts of a reward model that others load. */
import { anyObject, isJson, type Json, tryJson } from '../../language/host/json.js';
import type { ModelFacts } from '../models/any-model.js';
import { padIdOf } from '../models/labels.js';
import type { Companion } from '../models/load.js';

interface Padding {
  /** `pad_token_id` of its config. */
  readonly id: number;
  /** A file that goes with it, which names the same token. */
  of(companion: Companion): string | Uint8Array;
}

interface Padded {
  readonly facts: Pick<ModelFacts, 'padTokenId' | 'eosTokenIds'>;
  companions(): readonly Companion[];
}

/**
 * Transformers reads a class at the last token of a text that is not its padding. A reward model reads texts that end with
 * what ends an answer: where that is the padding too, another special token of the tokenizer takes its place.
 */
export function paddingOf(model: Padded, labels: readonly string[] | undefined): Padding {
  const id = padIdOf(model.facts);
  const as = { id, of: ({ read }: Companion) => read() };
  const { eosTokenIds } = model.facts;
  if (labels?.length !== 1 || !eosTokenIds.includes(id)) return as;
  const other = specialTokens(model.companions()).find((token) => !eosTokenIds.includes(token.id));
  if (other === undefined) return as;
  return {
    id: other.id,
    of: ({ name, read }) => (NAMING.has(name) ? withPadding(read(), other.content) : read()),
  };
}

interface SpecialToken {
  readonly id: number;
  readonly content: string;
}

/** Files that name the token. */
const NAMING: ReadonlySet<string> = new Set(['tokenizer_config.json', 'special_tokens_map.json']);

function specialTokens(companions: readonly Companion[]): readonly SpecialToken[] {
  const file = companions.find(({ name }) => name === 'tokenizer.json');
  const added = file === undefined ? undefined : jsonIn(file.read())?.['added_tokens'];
  return (Array.isArray(added) ? added : []).flatMap((token: unknown) =>
    isJson(token) &&
    token['special'] === true &&
    typeof token['id'] === 'number' &&
    typeof token['content'] === 'string'
      ? [{ id: token['id'], content: token['content'] }]
      : [],
  );
}

function withPadding(content: string | Uint8Array, token: string): string | Uint8Array {
  const json = jsonIn(content);
  return json === undefined ? content : `${JSON.stringify({ ...json, pad_token: token }, null, 2)}\n`;
}

const jsonIn = (content: string | Uint8Array): Json | undefined =>
  tryJson(anyObject, typeof content === 'string' ? content : new TextDecoder().decode(content)) as
    | Json
    | undefined;
