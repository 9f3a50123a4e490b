/** What a comparison had to assume, in words. */
import type { Note } from '../types.js';
import { type Cell, code, joined, type Piece } from './pieces.js';

/** Names that are spelt out. */
const SHOWN = 3;
/** Notes that are shown. */
const MOST = 10;

const WORDS: { readonly [K in Note['kind']]: (note: Extract<Note, { kind: K }>) => Cell } = {
  renamed: ({ from }) => ['the pipeline was called ', code(from)],
  unknown_param: ({ name }) => [
    'the parameter ',
    code(name),
    ' is new, and was left out of the earlier plan',
  ],
  untracked: ({ files }) => {
    const names: readonly Piece[] = files.slice(0, SHOWN).map(code);
    const more = files.length - SHOWN;
    const are = files.length === 1 ? ' is' : ' are';
    return [
      ...joined(more > 0 ? [...names, `${more} more`] : names),
      `${are} not in git: the working tree is used for both sides`,
    ];
  },
};

export function noteCells(notes: readonly Note[]): readonly Cell[] {
  const shown = notes.slice(0, MOST).map((note) => (WORDS[note.kind] as (note: Note) => Cell)(note));
  return notes.length > MOST ? [...shown, [`${notes.length - MOST} more notes are left out`]] : shown;
}
