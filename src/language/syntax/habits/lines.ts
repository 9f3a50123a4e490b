/** Habits in the lines of a block and in values. */
import { type IToken, tokenMatcher } from '../../../../grammar/chevrotain.js';
import * as t from '../../../../grammar/tokens.js';
import { UNITS, unitsMeantBy } from '../../../../grammar/units.js';
import { inBlock, methodSettings } from '../../diagnostics/catalogue/names.js';
import { isTestFile } from '../../diagnostics/catalogue/syntax.js';
import { insert, named, replace } from '../../diagnostics/make.js';
import { endOf } from '../cst.js';
import { type Correction, type Failure, type Habit, isName, isNumeric, touch, write } from './habit.js';

/** `512 tok` */
const spaceBeforeUnit: Habit = (failure) => {
  const { rule, token, previous, line } = failure;
  if (rule !== 'entry') return unitAfter(previous, token, failure.next, failure);
  // In a record the unit has been taken for the next name, which has no colon.
  const number = line[line.indexOf(token) - 2];
  const meant = previous && unitAfter(number, previous, token, failure);
  return meant && { ...meant, at: previous };
};

function unitAfter(
  previous: IToken | undefined,
  token: IToken,
  next: IToken | undefined,
  { span }: Failure,
): Correction | undefined {
  if (previous?.tokenType !== t.NumberLiteral || !isName(token)) return undefined;
  if (STATEMENTS.test(token.image) || (next !== undefined && tokenMatcher(next, t.Sets))) return undefined;
  const isUnit = Object.hasOwn(UNITS, token.image);
  const meant = isUnit ? [] : unitsMeantBy(token.image);
  const texts = (meant.length === 0 ? [token.image] : meant).map((unit) => previous.image + unit);
  return {
    expected: 'a unit directly after its number',
    help: `write ${named(texts)}: a unit directly follows its number`,
    fixes: texts.map((text) => write(text, span(previous, token), isUnit ? 'safe' : 'maybe_incorrect')),
  };
}

/** `lora:` with its settings, or `metrics:` with its items, in the lines below, further to the right. */
const grouped: Habit = ({ token, previous, first, group, span }) => {
  if (token.tokenType !== t.Newline || group === undefined || previous === undefined) return undefined;
  const value = group.value ?? (group.isList ? '[ … ]' : '{ name: value }');
  const { last } = group;
  return {
    help: `a value begins on the line of its name: \`${first.image} = ${value}\``,
    fixes:
      group.value === undefined
        ? []
        : [write(`${first.image} = ${group.value}`, span(first, last), 'maybe_incorrect')],
  };
};

/** `10 if smoke else 20` */
const conditional: Habit = ({ token, previous }) =>
  previous !== undefined && token.image === 'if'
    ? { expected: '`?`', help: 'a conditional is written `condition ? value : value`' }
    : undefined;

/** `1,024tok`: the comma has ended the setting. */
const thousands: Habit = ({ token, previous, span }) =>
  previous?.tokenType === t.Comma &&
  isNumeric(token) &&
  touch(previous, token) &&
  /^\d{3}(?!\d)/.test(token.image)
    ? {
        expected: 'a number without separators',
        help: 'write digits without separators: `1024`, not `1,024`',
        fixes: [replace('remove the comma', span(previous), '', 'maybe_incorrect')],
      }
    : undefined;

/** `require perplexity = 3`, `=<`, `=>` */
const comparison: Habit = ({ token, next, first, span }) => {
  if (token.tokenType !== t.Equals || ![t.Require, t.Expect].includes(first.tokenType)) return undefined;
  const turned = touch(token, next) && next !== undefined ? { '<': '<=', '>': '>=' }[next.image] : undefined;
  return turned !== undefined && next !== undefined
    ? { expected: `\`${turned}\``, help: `write \`${turned}\``, fixes: [write(turned, span(token, next))] }
    : { expected: '`==`', help: 'write `==` to compare', fixes: [write('==', span(token))] };
};

/** `<>`, `**`, `+16` */
const operators: Habit = ({ token, previous, span }) => {
  if (token.image === '>' && previous?.image === '<' && touch(previous, token))
    return { help: 'write `!=`', fixes: [write('!=', span(previous, token))] };
  if (token.image === '*' && previous?.image === '*' && touch(previous, token))
    return { help: 'there is no power operator: write the number, such as `16` for `2 ** 4`' };
  if (token.image === '+')
    return {
      help: 'a number has no leading `+`',
      fixes: [replace('remove it', span(token), '', 'maybe_incorrect')],
    };
  return token.tokenType === t.Colon && previous?.tokenType === t.Require
    ? { help: '`require` is followed by a condition', fixes: [replace('remove it', span(token), '')] }
    : undefined;
};

const CONDITIONS = /^(assert|ensure|requires?d?|check|verify|expects?)$/;
const STATEMENTS = /^(if|else|elif|when|for|foreach|while|let|var|const|def|return)$/;

/** A line of a block that is no setting. */
const statement: Habit = (failure) => {
  const { rule, token, next, span } = failure;
  if (rule !== 'body' || token !== failure.first) return undefined;
  if (token.tokenType === t.StringLiteral && next !== undefined && tokenMatcher(next, t.Sets))
    return {
      expected: 'the name of a setting without quotes',
      help: `write \`${token.image.slice(1, -1)}\``,
      fixes: [write(token.image.slice(1, -1), span(token), 'maybe_incorrect')],
    };
  if (!isName(token) || next === undefined) return undefined;
  const condition = isTestFile(span(token).file) ? 'expect' : 'require';
  if (failure.compares)
    return {
      expected: `\`${condition}\``,
      help: `a condition starts with \`${condition}\``,
      fixes: [insert(`write \`${condition}\``, span(token).file, token.startOffset, `${condition} `)],
    };
  if (CONDITIONS.test(token.image) && !['=', '==', ':'].includes(next.image))
    return {
      expected: `\`${condition}\``,
      help: `a condition starts with \`${condition}\``,
      fixes: [write(condition, span(token))],
    };
  if (STATEMENTS.test(token.image))
    return {
      help: 'there are no statements: a value may depend on a parameter, `limit = smoke ? 200 : none`, and a matrix has several values',
    };
  return setting(failure, token, next);
};

function setting({ span, afterNext }: Failure, name: IToken, next: IToken): Correction | undefined {
  if (name.image === 'using' && isName(next))
    return {
      at: name,
      expected: 'a setting',
      help: `\`using ${next.image}\` belongs in the heading of the block, before its opening brace${inBlock(methodSettings(next.image, '…'))}`,
    };
  if (next.image === '==')
    return { at: next, expected: '`=`', help: 'write `=`', fixes: [write('=', span(next))] };
  if (next.tokenType === t.LCurly)
    return {
      expected: 'a setting',
      help: `blocks cannot be nested: to group settings, write a record, \`${name.image} = { key: value }\``,
    };
  if (next.tokenType === t.Dot)
    return {
      at: next,
      expected: '`=`',
      help: `to group settings, write one record: \`${name.image} = { ${afterNext?.image ?? 'key'}: … }\``,
    };
  if (next.tokenType === t.LParen)
    return { at: next, expected: '`=`', help: `write \`${name.image} = value\`` };
  if (!isNumeric(next) && !t.STRINGS.includes(next.tokenType) && !tokenMatcher(next, t.Word))
    return undefined;
  return {
    at: next,
    expected: '`=`',
    help: `write \`${name.image} = …\``,
    fixes: [insert('write `=`', span(name).file, endOf(name), ' =')],
  };
}

/** `adapter["best"]` */
const index: Habit = ({ rule, token, previous, next, afterNext, span }) => {
  if (rule !== 'body' || token.tokenType !== t.LSquare || !isName(previous) || !touch(previous, token))
    return undefined;
  const port = next?.tokenType === t.StringLiteral ? next.image.slice(1, -1) : undefined;
  return {
    expected: 'a dot',
    help: `write an output of a stage after a dot: \`${previous.image}.${port ?? 'port'}\``,
    fixes:
      port !== undefined && afterNext?.tokenType === t.RSquare
        ? [write(`.${port}`, span(token, afterNext), 'maybe_incorrect')]
        : undefined,
  };
};

const CLOSING: Readonly<Record<string, string>> = { ')': '(', ']': '[' };

/** `f(x))` */
const closing: Habit = ({ rule, token, span }) => {
  const opening = CLOSING[token.image];
  return rule !== 'body' || opening === undefined
    ? undefined
    : {
        help: `no \`${opening}\` is open here: remove it`,
        fixes: [replace('remove it', span(token), '', 'maybe_incorrect')],
      };
};

export const LINES: readonly Habit[] = [
  grouped,
  spaceBeforeUnit,
  conditional,
  thousands,
  comparison,
  operators,
  statement,
  index,
  closing,
];
