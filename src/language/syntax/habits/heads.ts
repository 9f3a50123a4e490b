/** Habits in the heads of declarations and between them. */
import { tokenMatcher } from '../../../../grammar/chevrotain.js';
import * as t from '../../../../grammar/tokens.js';
import { replace } from '../../diagnostics/make.js';
import { type Correction, type Habit, isName, write } from './habit.js';

/** `edition = 2026`, `edition "2026"` */
const edition: Habit = ({ rule, token, next, span }) => {
  if (rule !== 'edition') return undefined;
  const help = 'write `edition 2026`';
  if (tokenMatcher(token, t.Sets) && next?.tokenType === t.NumberLiteral)
    return { help, fixes: [replace('remove the sign', span(token), '')] };
  const year = /^["'“](\d{4})["'”]$/.exec(token.image)?.[1];
  return { help, fixes: year === undefined ? undefined : [write(year, span(token))] };
};

/** `import jsonl from "std/data"` */
const importing: Habit = ({ rule, token, next, span }) => {
  if (rule !== 'importing') return undefined;
  const help = 'write `import { name } from "…"`, with every name between the braces';
  return isName(token) && next?.tokenType === t.From
    ? { help, fixes: [write(`{ ${token.image} }`, span(token))] }
    : { help };
};

const PYTHON_IMPORT: Correction = { help: 'write `import { name } from "…"`' };

/** `let x = 3` */
const declares: Habit = ({ rule, first, token, previous }) =>
  /^(variable|var|let|const|locals?|input|arg)$/.test(first.image) &&
  (rule === 'program' ? token === first : rule === 'body' && tokenMatcher(token, t.Sets) && isName(previous))
    ? { help: 'to let the command line replace a value, write `param name: Type = value`' }
    : undefined;

/** The heads of declarations. */
const heads: Habit = ({ rule, token, first, span }) => {
  if (rule === 'range')
    return token.image === ','
      ? { help: 'write `(1..64)`', fixes: [replace('write `..`', span(token), '..')] }
      : { help: 'a range is written `(1..64)`; either end may be left out' };
  if (rule === 'param' || rule === 'matrix')
    return token.tokenType === t.LSquare
      ? { help: 'a parameter has one value; `matrix name: Int = [1, 2]` has several' }
      : { help: `write \`${first.image} name: Type = value\`` };
  if (rule === 'preset')
    return { help: 'write `preset name for train { … }`, with the kind of block that it is for' };
  if (rule !== 'block' || !tokenMatcher(first, t.Word)) return undefined;
  if (first.tokenType === t.From) return PYTHON_IMPORT;
  if (token.tokenType === t.StringLiteral && /^"[A-Za-z_]\w*"$/.test(token.image))
    return {
      help: 'names are written without quotes',
      fixes: [write(token.image.slice(1, -1), span(token))],
    };
  return {
    help: `write \`${first.image} name { … }\`: every block has a name, of letters, digits and \`_\``,
  };
};

/** `budget my machine {` */
const twoNames: Habit = ({ rule, token, previous, first, next, span }) => {
  if (rule !== 'body' || !isName(token) || !isName(previous) || previous === first) return undefined;
  if (next?.tokenType !== t.LCurly || token === first) return undefined;
  const name = `${previous.image}_${token.image}`;
  return {
    help: `a name is one word: \`${name}\``,
    fixes: [write(name, span(previous, token), 'maybe_incorrect')],
  };
};

/** Outside of blocks. */
const outside: Habit = ({ rule, token, previous, first, next }) => {
  if (rule !== 'program') return undefined;
  if ([t.Param, t.Matrix].includes(first.tokenType) && previous !== undefined) {
    if (token.tokenType === t.LSquare) return { help: 'a range is written in parentheses: `Int(1..64)`' };
    if (token.tokenType === t.Question) return { help: 'a parameter always has a value: remove the `?`' };
  }
  if (token.tokenType === t.From) return PYTHON_IMPORT;
  return isName(token) && next !== undefined && tokenMatcher(next, t.Sets)
    ? {
        help: 'settings belong in blocks; for a value that several blocks share, write `param name: Type = value`',
      }
    : undefined;
};

export const HEADS: readonly Habit[] = [declares, edition, importing, heads, twoNames, outside];
