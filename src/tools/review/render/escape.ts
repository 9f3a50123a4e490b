/** What someone else wrote, in the Markdown of a comment. */
import { createHash } from 'node:crypto';
import { type Cell, type ForeignText, visible } from './pieces.js';

/** A bot finds its own comment by it. */
export function marker(pipeline: string): string {
  const name = encodeURIComponent(pipeline.replace(/\p{Cs}/gu, '\ufffd'))
    .replace(/%2F/g, '/')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/-(?=-|$)/g, '%2D');
  return `<!-- ftpc-plan: ${name.length <= LONGEST_NAME ? name : shortened(name)} -->`;
}

const LONGEST_NAME = 200;
const shortened = (name: string): string =>
  `${name.slice(0, LONGEST_NAME - 17).replace(/%.?$/, '')}~${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;

export const cellText = (cell: Cell): string =>
  cell.map((piece) => (typeof piece === 'string' ? piece : foreign(piece))).join('');

/** Nothing in it is markup, a mention, a reference or an address: a code span, where that is certain to hold. */
export function foreign({ code: text }: ForeignText): string {
  const shown = visible(text);
  if (shown !== '' && TAME.test(shown) && !/<[a-z!/?]/i.test(shown) && shown.trim() === shown)
    return `\`${shown}\``;
  const entities = shown.replace(/[^\p{L}\p{N} ]/gu, (char) => `&#${char.codePointAt(0)};`);
  return `<code>${entities}</code>`;
}

/** No backtick, bar or backslash; a tag would be safe too, but not every reader of comments is that exact. */
const TAME = /^[\p{L}\p{N} .,:;()%+*/=<>!?"'[\]{}@#$&~^_…→–-]+$/u;
