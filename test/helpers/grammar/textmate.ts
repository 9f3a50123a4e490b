/** `grammar/ftp.tmLanguage.json`: colours for editors, from the tables of tokens, units and functions. */
import * as t from '../../../grammar/tokens.js';
import { UNITS } from '../../../grammar/units.js';
import { functions } from '../../../src/language/schemas/functions/index.js';

interface Rule {
  readonly name?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly beginCaptures?: Rule['captures'];
  readonly captures?: Readonly<Record<string, { readonly name: string }>>;
  readonly patterns?: readonly Rule[];
  readonly include?: string;
}

const anyOf = (words: readonly string[]): string =>
  `(?:${[...words]
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .map(escaped)
    .join('|')})`;
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const WORD = '[A-Za-z_][A-Za-z0-9_]*';
const number = (t.NumberLiteral.PATTERN as RegExp).source;
const kinds = anyOf(t.BLOCK_KINDS);
const units = anyOf(Object.keys(UNITS));

const captures = (...names: readonly string[]): Rule['captures'] =>
  Object.fromEntries(names.map((name, i) => [`${i + 1}`, { name: `${name}.ftp` }]));

const KEYWORD = 'keyword.control';
const DECLARES = 'storage.type';

/** A declaration starts a line, or follows another one; a statement may follow a comma, too. */
const START = '(?:^|(?<=[{},]))\\s*';
/** Before the name of an entry or an argument. */
const IN_BRACKETS = '(?:^|(?<=[({,]))\\s*';

const repository: Readonly<Record<string, Rule>> = {
  comments: {
    patterns: [
      { name: 'comment.line.documentation.ftp', match: '///.*$' },
      {
        match: '(//)\\s*(allow)\\s*(\\([^()]*\\))(.*)$',
        captures: captures(
          'comment.line.double-slash',
          'comment.line.double-slash keyword.other.directive',
          'comment.line.double-slash variable.other.directive',
          'comment.line.double-slash',
        ),
      },
      { name: 'comment.line.double-slash.ftp', match: '//.*$' },
      { name: 'invalid.illegal.comment.ftp', match: '#.*$' },
    ],
  },
  declarations: {
    patterns: [
      { match: `${START}(edition)\\s+(\\d+)`, captures: captures(KEYWORD, 'constant.numeric') },
      { match: `${START}(import)\\b`, captures: captures(KEYWORD) },
      { match: '(?<=\\})\\s*(from)\\b', captures: captures(KEYWORD) },
      {
        match: `${START}(param|matrix)\\s+(${WORD})\\s*(:)\\s*(${WORD})`,
        captures: captures(DECLARES, 'variable.other.constant', 'punctuation.separator', 'support.type'),
      },
      {
        match: `${START}(secret)\\s+(${WORD})`,
        captures: captures(DECLARES, 'variable.other.constant'),
      },
      {
        match: `${START}(native)\\s+(${WORD})\\s+(from)\\s+(${WORD})`,
        captures: captures(DECLARES, 'entity.name.function', KEYWORD, 'support.type'),
      },
      {
        match: `${START}(preset)\\s+(${WORD})\\s+(for)\\s+(${WORD})`,
        captures: captures(DECLARES, 'entity.name.type', KEYWORD, DECLARES),
      },
      { match: `${START}(test)(?=\\s*")`, captures: captures(DECLARES) },
      { match: `${START}(${kinds})\\s+(${WORD})`, captures: captures(DECLARES, 'entity.name.type') },
      {
        begin: '\\b(using)\\b(?!\\s*[=:])',
        end: '(?=\\{|//)|$',
        beginCaptures: captures(KEYWORD),
        patterns: [
          { name: 'entity.other.inherited-class.ftp', match: WORD },
          { name: 'punctuation.separator.ftp', match: ',' },
        ],
      },
    ],
  },
  statements: {
    patterns: [
      { name: 'keyword.control.ftp', match: `${START}(?:require|expect)\\b(?!\\s*[=:](?!=))` },
      {
        match: `(${WORD})\\s*(=)(?!=)`,
        captures: captures('variable.other.property', 'keyword.operator.assignment'),
      },
      {
        match: `${IN_BRACKETS}(${WORD}|"(?:[^"\\\\]|\\\\.)*")\\s*(:)`,
        captures: captures('variable.parameter', 'punctuation.separator'),
      },
    ],
  },
  strings: {
    begin: '"',
    end: '"|$',
    name: 'string.quoted.double.ftp',
    patterns: [
      { name: 'constant.character.escape.ftp', match: '\\\\(?:["\\\\nt]|u\\{[0-9a-fA-F]{1,6}\\})' },
      { name: 'invalid.illegal.escape.ftp', match: '\\\\.' },
    ],
  },
  values: {
    patterns: [
      {
        match: `(?<![A-Za-z0-9_])(${number})(${units})(?![A-Za-z0-9_])`,
        captures: captures('constant.numeric', 'keyword.other.unit'),
      },
      { name: 'invalid.illegal.unit.ftp', match: `(?<![A-Za-z0-9_])${number}(?![eE][+-]?\\d)[A-Za-z_]\\w*` },
      { name: 'constant.numeric.ftp', match: `(?<![A-Za-z0-9_])${number}` },
      { name: 'constant.language.ftp', match: '(?<!\\.)\\b(?:true|false|none)\\b' },
      { name: 'keyword.operator.logical.ftp', match: '(?<!\\.)\\b(?:and|or|not)\\b' },
      { match: `(\\.)\\s*(${WORD})`, captures: captures('punctuation.accessor', 'variable.other.member') },
      { name: 'support.function.ftp', match: `\\b${anyOf(Object.keys(functions))}\\b(?=\\s*\\()` },
      { name: 'entity.name.function.ftp', match: `\\b${WORD}\\b(?=\\s*\\()` },
      { name: 'support.constant.ftp', match: `\\b${anyOf(Object.keys(functions))}\\b` },
      { name: 'variable.other.ftp', match: `\\b${WORD}\\b` },
      { name: 'keyword.operator.comparison.ftp', match: '==|!=|<=|>=|<|>' },
      { name: 'keyword.operator.assignment.ftp', match: '=' },
      { name: 'keyword.operator.range.ftp', match: '\\.\\.' },
      { name: 'keyword.operator.ternary.ftp', match: '\\?|:' },
      { name: 'keyword.operator.arithmetic.ftp', match: '[-+*/]' },
      { name: 'punctuation.separator.ftp', match: ',' },
      { name: 'punctuation.section.ftp', match: '[()\\[\\]{}]' },
    ],
  },
};

export function textmateGrammar(): string {
  const grammar = {
    information_for_contributors: ['Written from the tables of the parser by `npm run grammar`.'],
    name: 'ftp',
    scopeName: 'source.ftp',
    fileTypes: ['ftp'],
    patterns: Object.keys(repository).map((name) => ({ include: `#${name}` })),
    repository,
  };
  return `${JSON.stringify(grammar, null, 2)}\n`;
}
