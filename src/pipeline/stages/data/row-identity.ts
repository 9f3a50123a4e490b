import { hash96 } from './hashes.js';
import type { RowContent } from './row-content.js';

/** What a row says, as keys: equal where texts are equal except for white space. */
export interface RowIdentity {
  readonly key: string;
  readonly whole: readonly [number, number];
  /** `undefined` if nothing is asked. */
  readonly question: readonly [number, number] | undefined;
}

export function identityOf({ question, answer }: RowContent): RowIdentity {
  const asked = JSON.stringify((question ?? []).map(plain));
  const key = `${asked}\n${plain(answer)}`;
  return { key, whole: hash96(key), question: question === undefined ? undefined : hash96(asked) };
}

/** White space becomes one space. Single spaces are passed over: a long row has millions, and a replacement takes memory. */
const plain = (text: string): string => text.replace(/[^\S ]\s*| \s+/g, ' ').trim();

/** Question and answer as one text: what near copies are told by. */
export const wholeText = ({ question, answer }: RowContent): string =>
  [...(question ?? []), answer].join('\n');
