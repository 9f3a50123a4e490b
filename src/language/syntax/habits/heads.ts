/** Habits in the heads of declarations and between them. */
import { type IToken, tokenMatcher } from '../../../../grammar/chevrotain.js';
import * as t from '../../../../grammar/tokens.js';
import { inBlock, methodSettings } from '../../diagnostics/catalogue/names.js';
import { nearest } from '../../diagnostics/did-you-mean.js';
import { replace } from '../../diagnostics/make.js';
import { type Correction, type Failure, type Habit, isName, write } from './habit.js';

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

/** `from std.data import jsonl, csv` */
function pythonImport(line: readonly IToken[], span: Failure['span']): Correction {
  const at = line.findIndex(({ tokenType }) => tokenType === t.Import);
  const [first, last] = [line[0], line.at(-1)];
  const module = line.slice(1, at).map(({ image }) => (image === '.' ? '/' : image));
  const names = line.slice(at + 1).filter(isName);
  if (at < 2 || names.length === 0 || first === undefined || last === undefined)
    return { help: 'write `import { name } from "…"`' };
  const text = `import { ${names.map(({ image }) => image).join(', ')} } from "${module.join('')}"`;
  return { help: `write \`${text}\``, fixes: [write(text, span(first, last), 'maybe_incorrect')] };
}

/** `let x = 3` */
const declares: Habit = ({ rule, first, token, previous }) =>
  /^(variable|var|let|const|locals?|input|arg)$/.test(first.image) &&
  (rule === 'program' ? token === first : rule === 'body' && tokenMatcher(token, t.Sets) && isName(previous))
    ? { help: 'to let the command line replace a value, write `param name: Type = value`' }
    : undefined;

/** Words before declarations that are no blocks of settings. */
const BEFORE_DECLARATIONS = ['edition', 'import', 'matrix', 'param', 'preset', 'secret'];

/** Where the parser gives up on such a head: at its first token, after the kind, after kind and name. */
const HEAD_RULES: Readonly<Record<string, number>> = { program: 0, block: 1, body: 2 };

/** `edtion 2026`, `improt { jsonl } from "std/data"`, `parm name: Type = value`: the word is taken for a kind of block. */
const misspelt: Habit = ({ rule, token, first, line, span }) => {
  const at = HEAD_RULES[rule];
  if (at === undefined || line[at] !== token || first.tokenType !== t.Identifier) return undefined;
  const meant = nearest(first.image, BEFORE_DECLARATIONS);
  return meant === undefined
    ? undefined
    : {
        at: first,
        expected: `\`${meant}\``,
        help: `did you mean \`${meant}\`?`,
        fixes: [write(meant, span(first), 'maybe_incorrect')],
      };
};

/** The heads of declarations. */
const heads: Habit = ({ rule, token, first, line, span }) => {
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
  if (first.tokenType === t.From) return pythonImport(line, span);
  if (token.tokenType === t.StringLiteral && /^"[A-Za-z_]\w*"$/.test(token.image))
    return {
      help: 'names are written without quotes',
      fixes: [write(token.image.slice(1, -1), span(token))],
    };
  return {
    help: `write \`${first.image} name { … }\`: every block has a name, of letters, digits and \`_\``,
  };
};

/** `train adapter: {` */
const colonBeforeBlock: Habit = ({ rule, token, previous, next, span }) =>
  rule === 'body' && token.tokenType === t.Colon && isName(previous) && next?.tokenType === t.LCurly
    ? { help: 'remove the colon', fixes: [replace('remove it', span(token), '')] }
    : undefined;

/** `train adapter using lora(rank: 16) {` */
const methodWithArguments: Habit = ({ rule, token, previous, line, span }) => {
  if (rule !== 'body' || token.tokenType !== t.LParen || !isName(previous)) return undefined;
  const opening = line.indexOf(token);
  if (!line.slice(0, opening).some(({ tokenType }) => tokenType === t.Using)) return undefined;
  const closing = line.findIndex(
    ({ tokenType }, at) => at > opening && tokenType === t.RParen && line[at + 1]?.tokenType === t.LCurly,
  );
  const [last, brace] = [line[closing], line[closing + 1]];
  const written = line
    .slice(opening + 1, closing)
    .map(({ image }) => (/^[:,]$/.test(image) ? `${image} ` : image))
    .join('');
  const settings = last && methodSettings(previous.image, written);
  return {
    help: `what follows \`using\` has no arguments: write \`using ${previous.image} {\`${inBlock(settings)}`,
    fixes:
      last === undefined || brace === undefined
        ? undefined
        : settings === undefined
          ? [replace('remove them', span(token, last), '', written === '' ? 'safe' : 'maybe_incorrect')]
          : [replace('move them into the block', span(token, brace), ` {\n  ${settings}`, 'maybe_incorrect')],
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
const outside: Habit = ({ rule, token, previous, first, next, line, span }) => {
  if (rule !== 'program') return undefined;
  if ([t.Param, t.Matrix].includes(first.tokenType) && previous !== undefined) {
    if (token.tokenType === t.LSquare) return { help: 'a range is written in parentheses: `Int(1..64)`' };
    if (token.tokenType === t.Question) return { help: 'a parameter always has a value: remove the `?`' };
  }
  if (token.tokenType === t.From) return pythonImport(line, span);
  return isName(token) && next !== undefined && tokenMatcher(next, t.Sets)
    ? {
        help: 'settings belong in blocks; for a value that several blocks share, write `param name: Type = value`',
      }
    : undefined;
};

export const HEADS: readonly Habit[] = [
  declares,
  edition,
  importing,
  misspelt,
  heads,
  colonBeforeBlock,
  methodWithArguments,
  twoNames,
  outside,
];
