/** The grammar as data, read from the parser itself: what its written forms are made of. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenType } from '../../../grammar/chevrotain.js';
import { FtpParser } from '../../../grammar/parser.js';
import * as t from '../../../grammar/tokens.js';
import { UNITS } from '../../../grammar/units.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { choice, type Form, sequence } from './form.js';
import { fromPattern } from './pattern.js';

export interface Production {
  readonly name: string;
  readonly form: Form;
  /** What the parser's source says of the rule. */
  readonly doc?: string;
  /** Spaces and comments are allowed between its parts. */
  readonly lexical: boolean;
}

/** What the parser takes only to say what is meant. */
const MISTAKES: ReadonlySet<string> = new Set([
  ...['BadQuantity', 'Unreadable', 'UnterminatedString', 'ForeignString', 'HashComment', 'BlockComment'],
  ...['AndSign', 'OrSign', 'NotSign', 'Semicolon'],
]);
/** An unknown kind of block is taken, and reported. */
const MISTAKES_IN: Readonly<Record<string, string>> = { block: 'Identifier' };
/** `:` and `=` are both taken everywhere, and the wrong one is reported. */
const COLON_RULES: ReadonlySet<string> = new Set(['entry', 'argument']);

interface Gast {
  readonly type: string;
  readonly name?: string;
  readonly definition?: readonly Gast[];
}

const gast = new FtpParser().getSerializedGastProductions() as readonly Gast[];
const tokens = new Map<string, TokenType>(t.VOCABULARY.map((token) => [token.name, token]));

/** Rules whose last part is a comma that may be left out: the separator of a list that is made of them. */
const endsWithComma = ({ definition = [] }: Gast): boolean => isOptionalComma(definition.at(-1));
const isOptionalComma = (part: Gast | undefined): boolean =>
  part?.type === 'Option' && part.definition?.length === 1 && part.definition[0]?.name === 'Comma';
const separated = new Set(gast.filter(endsWithComma).map(({ name }) => name));

const isMistake = (rule: string, { type, name = '', definition = [] }: Gast): boolean =>
  type === 'Alternative'
    ? definition.length === 1 && definition.some((part) => isMistake(rule, part))
    : MISTAKES.has(name) || MISTAKES_IN[rule] === name;

function formOf(rule: string, part: Gast): Form {
  const { type, name = '' } = part;
  const parts = (part.definition ?? []).filter((child) => !isMistake(rule, child));
  const all = (): Form => sequence(parts.map((child) => formOf(rule, child)));
  switch (type) {
    case 'Terminal':
      return terminal(rule, name);
    case 'NonTerminal':
      return { kind: 'name', name };
    case 'Option':
      return { kind: 'optional', item: all() };
    case 'Alternation':
      return choice(parts.map((child) => formOf(rule, child)));
    case 'Repetition':
    case 'RepetitionMandatory':
      return repetition(rule, parts) ?? { kind: 'repeated', item: all(), atLeastOnce: type !== 'Repetition' };
    default:
      return all();
  }
}

function repetition(rule: string, parts: readonly Gast[]): Form | undefined {
  const separator: Form = { kind: 'text', text: ',' };
  const listed = (item: Form): Form => ({ kind: 'optional', item: { kind: 'list', item, separator } });
  const [first] = parts;
  if (parts.length === 1 && first?.type === 'NonTerminal' && separated.has(first.name))
    return listed(formOf(rule, first));
  if (isOptionalComma(parts.at(-1)))
    return listed(sequence(parts.slice(0, -1).map((child) => formOf(rule, child))));
  return undefined;
}

function terminal(rule: string, name: string): Form {
  if (name === t.Sets.name) return { kind: 'text', text: COLON_RULES.has(rule) ? ':' : '=' };
  const pattern = tokens.get(name)?.PATTERN;
  return typeof pattern === 'string' ? { kind: 'text', text: pattern } : { kind: 'name', name };
}

/** The rules of the parser, in its order. */
export function rules(): readonly Production[] {
  const docs = docsOfRules();
  return gast.map((rule) => {
    const name = rule.name ?? '';
    const definition = (rule.definition ?? []).slice(0, separated.has(name) ? -1 : undefined);
    return { name, form: formOf(name, { ...rule, definition }), doc: docs.get(name), lexical: false };
  });
}

/** Tokens that are more than a text, and the categories that stand for several. */
export function lexicalRules(): readonly Production[] {
  const { Word, Name, BlockKind, BinaryOperator, PrefixOperator } = t;
  const categories = [Word, Name, BlockKind, BinaryOperator, PrefixOperator].map((category) => ({
    name: category.name,
    form: choice(membersOf(category).map((member) => terminal('', member.name))),
    lexical: true,
  }));
  const units = Object.keys(UNITS).map((text): Form => ({ kind: 'text', text }));
  const quantity = sequence([
    { kind: 'name', name: t.NumberLiteral.name },
    { kind: 'name', name: 'Unit' },
  ]);
  return [
    ...categories,
    { name: t.Quantity.name, form: quantity, lexical: true },
    { name: 'Unit', form: choice(units), lexical: true },
    ...[t.NumberLiteral, t.StringLiteral, t.Identifier, t.Newline, t.DocComment, t.LineComment].map(
      (token) => ({
        name: token.name,
        form: fromPattern(token.PATTERN as RegExp),
        lexical: true,
      }),
    ),
  ];
}

const membersOf = (category: TokenType): readonly TokenType[] =>
  t.VOCABULARY.filter((token) => token.CATEGORIES?.includes(category) === true && !MISTAKES.has(token.name));

/** The sentence above each rule in the parser's source; what follows a semicolon is for those who change it. */
function docsOfRules(): ReadonlyMap<string, string> {
  const source = readFileSync(join(nodeHost().packageFolder, 'grammar/parser.ts'), 'utf8');
  const found = source.matchAll(/\/\*\* ([^\n]*?) \*\/\s+(?:readonly )?(\w+) = this\.RULE\(/g);
  return new Map([...found].map(([, doc = '', name = '']) => [name, doc.replace(/;.*/, '')]));
}
