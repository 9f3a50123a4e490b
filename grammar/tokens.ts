/**
 * Every token of the language. The order of {@link TOKENS} is meaning: the lexer takes the first that matches.
 * What a newcomer is likely to type by mistake is a token too, so that it costs one error and no more.
 */
import { createToken, type IToken, Lexer, type TokenType, tokenMatcher } from './chevrotain.js';
import { UNITS } from './units.js';

/** Tokens that stand for several others in the rules; they match nothing themselves. */
const category = (name: string, label: string, categories: TokenType[] = []): TokenType =>
  createToken({ name, label, pattern: Lexer.NA, categories });

/** Anything that reads as a word: what may be after a dot and as a key. */
export const Word = category('Word', 'a name');
/** What may name a stage, a parameter or a setting: no hard keyword. */
export const Name = category('Name', 'a name', [Word]);
export const BlockKind = category('BlockKind', 'a block kind', [Word]);
/** `=` in blocks and `:` in records; the tree says which was written. */
export const Sets = category('Sets', '`=`');
export const BinaryOperator = category('BinaryOperator', 'an operator');
export const PrefixOperator = category('PrefixOperator', 'an operator');

export const Identifier = createToken({
  name: 'Identifier',
  label: 'a name',
  pattern: /[A-Za-z_][A-Za-z0-9_]*/,
  categories: [Name],
});

const keyword = (text: string, ...categories: TokenType[]): TokenType =>
  createToken({
    name: text.charAt(0).toUpperCase() + text.slice(1),
    label: `\`${text}\``,
    pattern: text,
    longer_alt: Identifier,
    categories: categories.length === 0 ? [Word] : categories,
  });

/** Hard keywords: anchors at which the parser finds its way again. */
export const BLOCK_KINDS = ['data', 'format', 'train', 'eval', 'merge', 'deploy', 'budget'] as const;
const blockKinds = BLOCK_KINDS.map((kind) => keyword(kind, BlockKind));
export const Edition = keyword('edition');
export const Import = keyword('import');
export const Param = keyword('param');
export const Secret = keyword('secret');
export const Preset = keyword('preset');
export const Native = keyword('native');
export const Require = keyword('require');
export const True = keyword('true');
export const False = keyword('false');
export const None = keyword('none');
export const And = keyword('and', Word, BinaryOperator);
export const Or = keyword('or', Word, BinaryOperator);
export const Not = keyword('not', Word, PrefixOperator);
/** Soft keywords: names everywhere but in their own place. */
export const From = keyword('from', Name);
export const Using = keyword('using', Name);
export const For = keyword('for', Name);
export const Matrix = keyword('matrix', Name);
export const Machine = keyword('machine', Name);
export const Test = keyword('test', Name);
export const Expect = keyword('expect', Name);

const sign = (name: string, text: string, ...categories: TokenType[]): TokenType =>
  createToken({ name, label: `\`${text}\``, pattern: text, categories });

export const LCurly = sign('LCurly', '{');
export const RCurly = sign('RCurly', '}');
export const LParen = sign('LParen', '(');
export const RParen = sign('RParen', ')');
export const LSquare = sign('LSquare', '[');
export const RSquare = sign('RSquare', ']');
export const Comma = sign('Comma', ',');
export const Dot = sign('Dot', '.');
/** Between the ends of a range: `1..64`. */
export const To = sign('To', '..');
export const Question = sign('Question', '?');
export const Colon = sign('Colon', ':', Sets);
export const Equals = sign('Equals', '=', Sets);
export const Minus = sign('Minus', '-', BinaryOperator, PrefixOperator);
const operators = [
  sign('IsEqual', '==', BinaryOperator),
  sign('IsNotEqual', '!=', BinaryOperator),
  sign('AtMost', '<=', BinaryOperator),
  sign('AtLeast', '>=', BinaryOperator),
  sign('Less', '<', BinaryOperator),
  sign('Greater', '>', BinaryOperator),
  sign('Plus', '+', BinaryOperator),
  sign('Times', '*', BinaryOperator),
  sign('Divide', '/', BinaryOperator),
];

/** Signs of other languages: understood, and reported with the word that is meant. */
export const FOREIGN_SIGNS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '&&': 'and',
    '||': 'or',
    '!': 'not',
    ';': ',',
  }),
);
const foreignSigns = [
  sign('AndSign', '&&', And),
  sign('OrSign', '||', Or),
  sign('NotSign', '!', Not),
  sign('Semicolon', ';', Comma),
];
export const isForeignSign = ({ tokenType }: IToken): boolean => foreignSigns.includes(tokenType);

const number = String.raw`\d+(?:\.\d+)?(?:[eE][+-]?\d+)?`;
const suffixes = Object.keys(UNITS).join('|');

export const Quantity = createToken({
  name: 'Quantity',
  label: 'a quantity',
  pattern: new RegExp(`${number}(?:${suffixes})(?![A-Za-z0-9_])`),
});
/** A number that runs into a word, such as `24gb`: the checker names the unit that is meant. */
export const BadQuantity = createToken({
  name: 'BadQuantity',
  label: 'a quantity',
  pattern: new RegExp(`${number}[A-Za-z_][A-Za-z0-9_]*`),
});
/** `2e-4` is longer than the bad quantity `2e`, and wins. */
export const NumberLiteral = createToken({
  name: 'NumberLiteral',
  label: 'a number',
  pattern: new RegExp(number),
  longer_alt: BadQuantity,
});
export const StringLiteral = createToken({
  name: 'StringLiteral',
  label: 'a string',
  pattern: /"(?:[^"\\\n\r]|\\[^\n\r])*"/,
});
/** Ends with the line. */
export const UnterminatedString = createToken({
  name: 'UnterminatedString',
  label: 'a string',
  pattern: /"(?:[^"\\\n\r]|\\[^\n\r])*\\?/,
});
/** `'single'` and typographic quotes. */
export const ForeignString = createToken({
  name: 'ForeignString',
  label: 'a string',
  pattern: /'[^'\n\r]*'|[“”„][^“”„\n\r]*[“”]/,
});

export const STRINGS: readonly TokenType[] = [StringLiteral, UnterminatedString, ForeignString];

/** Takes the place of a value that could not be read, so that the rest of the file still can. */
export const Unreadable = createToken({ name: 'Unreadable', label: 'a value', pattern: Lexer.NA });

export const Newline = createToken({
  name: 'Newline',
  label: 'the end of the line',
  pattern: /[\r\n]+/,
  line_breaks: true,
});
const WhiteSpace = createToken({
  name: 'WhiteSpace',
  pattern: /[ \t\f\u00a0\ufeff]+/,
  group: Lexer.SKIPPED,
});

const comment = (name: string, pattern: RegExp): TokenType =>
  createToken({ name, pattern, group: 'comments', line_breaks: name === 'BlockComment' });
export const DocComment = comment('DocComment', /\/\/\/[^\n\r]*/);
export const LineComment = comment('LineComment', /\/\/[^\n\r]*/);
/** Comments of other languages: skipped, and reported. */
export const HashComment = comment('HashComment', /#[^\n\r]*/);
export const BlockComment = comment('BlockComment', /\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\//);

export const TOKENS: TokenType[] = [
  WhiteSpace,
  Newline,
  DocComment,
  LineComment,
  HashComment,
  BlockComment,
  Quantity,
  NumberLiteral,
  BadQuantity,
  StringLiteral,
  UnterminatedString,
  ForeignString,
  ...blockKinds,
  ...[Edition, Import, Param, Secret, Preset, Native, Require],
  ...[True, False, None, And, Or, Not, From, Using, For, Matrix, Machine, Test, Expect],
  Identifier,
  ...foreignSigns.filter((token) => token.name !== 'NotSign'),
  ...operators,
  ...foreignSigns.filter((token) => token.name === 'NotSign'),
  ...[LCurly, RCurly, LParen, RParen, LSquare, RSquare],
  ...[Comma, To, Dot, Question, Colon, Equals, Minus],
];

/**
 * Do two tokens at the start of a line begin a declaration or an expectation with a soft keyword? As a name of anything
 * else, something else follows it.
 */
export function startsSoftly(first: IToken, second: IToken | undefined): boolean {
  if (second === undefined) return false;
  if (first.tokenType === Matrix || first.tokenType === Machine) return tokenMatcher(second, Name);
  if (first.tokenType === Test) return STRINGS.includes(second.tokenType);
  return first.tokenType === Expect && (tokenMatcher(second, Name) || tokenMatcher(second, NumberLiteral));
}

const ANCHORS = [BlockKind, Edition, Import, Param, Secret, Preset, Native];

/** Do two tokens at the start of a line begin a declaration? `data = …` is a setting with a name that it cannot have. */
export const startsDeclaration = (first: IToken, second: IToken | undefined): boolean =>
  [Matrix, Machine, Test].includes(first.tokenType)
    ? startsSoftly(first, second)
    : ANCHORS.some((anchor) => tokenMatcher(first, anchor)) &&
      (second === undefined || !tokenMatcher(second, Sets));

/** Everything that the parser knows: the tokens, and the categories that stand for several. */
export const VOCABULARY: TokenType[] = [
  ...TOKENS,
  Unreadable,
  Word,
  Name,
  BlockKind,
  Sets,
  BinaryOperator,
  PrefixOperator,
];

/** Checked by a test instead of at every start: half of the time to build it went into that. */
export const lexer = new Lexer(TOKENS, {
  positionTracking: 'onlyOffset',
  ensureOptimizations: true,
  skipValidations: true,
});
