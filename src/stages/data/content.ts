import type { Content } from './shape.js';

/** Rows that are equal but for white space are one row. */
export const plain = (text: string): string => text.replace(/\s+/gu, ' ').trim();

/** Equal for rows that say the same. */
export const contentKey = ({ question, answer }: Content): string =>
  JSON.stringify([(question ?? []).map(plain), plain(answer)]);

/** Equal for rows that ask the same; `undefined` where nothing is asked. */
export const questionKey = ({ question }: Content): string | undefined =>
  question === undefined ? undefined : JSON.stringify(question.map(plain));

/** Question and answer as one text: what near copies are told by. */
export const wholeText = ({ question, answer }: Content): string => [...(question ?? []), answer].join('\n');
