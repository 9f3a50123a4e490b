/** What a comparison had to assume, in words. */
import type { Note } from '../types.js';
import { type Cell, code, codeList } from './pieces.js';

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
    const are = files.length === 1 ? ' is' : ' are';
    return [...codeList(files), `${are} not in git: the working tree is used for both sides`];
  },
};

export function noteCells(notes: readonly Note[]): readonly Cell[] {
  const shown = notes.slice(0, MOST).map((note) => (WORDS[note.kind] as (note: Note) => Cell)(note));
  return notes.length > MOST ? [...shown, [`${notes.length - MOST} more notes are left out`]] : shown;
}
