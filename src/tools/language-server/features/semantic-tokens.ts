/** Colours by meaning: what names are, and what they refer to. */
import type { SemanticTokens } from 'vscode-languageserver';
import { SemanticTokensBuilder } from 'vscode-languageserver/node.js';
import { positionAt } from '../../../language/source/text.js';
import {
  endOf,
  type IToken,
  isBlockKind,
  isNumber,
  isOperator,
  isString,
  isWord,
  tokensOf,
} from '../cursor/tokens.js';
import type { Occurrence } from '../names/file-index.js';
import type { Target } from '../names/targets.js';
import { toOffset } from '../positions.js';
import type { View } from '../projects.js';
import { type Feature, onView } from '../session.js';

const TYPES = [
  'keyword',
  'comment',
  'string',
  'number',
  'operator',
  'class',
  'parameter',
  'property',
  'function',
  'enumMember',
  'interface',
  'type',
  'variable',
  'method',
] as const;
type TokenType = (typeof TYPES)[number];

const MODIFIERS = ['declaration', 'defaultLibrary', 'documentation', 'readonly'] as const;
type Modifier = (typeof MODIFIERS)[number];

export const semanticTokens: Feature = {
  capabilities: {
    semanticTokensProvider: {
      legend: { tokenTypes: [...TYPES], tokenModifiers: [...MODIFIERS] },
      full: true,
      range: true,
    },
  },
  register: (session) => {
    const { semanticTokens: requests } = session.connection.languages;
    const none: SemanticTokens = { data: [] };
    requests.on(onView(session, none, (view) => tokensIn(view, 0, view.source.text.length)));
    requests.onRange(
      onView(session, none, (view, params) => {
        const { source } = view;
        return tokensIn(view, toOffset(source, params.range.start), toOffset(source, params.range.end));
      }),
    );
  },
};

function tokensIn({ source, index }: View, from: number, to: number): SemanticTokens {
  const byStart = new Map(index.occurrences.map((occurrence) => [occurrence.span.start, occurrence]));
  const { tokens, comments } = tokensOf(source);
  const builder = new SemanticTokensBuilder();
  const all = [...tokens, ...comments].filter((token) => token.startOffset < to && endOf(token) > from);
  all.sort((a, b) => a.startOffset - b.startOffset);
  for (const [index, token] of all.entries()) {
    const isCalled = all[index + 1]?.image === '(';
    const look = lookOf(token, byStart.get(token.startOffset), isCalled);
    if (look === undefined) continue;
    // The protocol knows no token over several lines.
    let start = token.startOffset;
    for (const line of token.image.split(/\r\n|\r|\n/)) {
      const { line: row, column } = positionAt(source, start);
      if (line !== '')
        builder.push(row - 1, column - 1, line.length, TYPES.indexOf(look.type), bits(look.modifiers));
      start = source.lineStarts[row] ?? source.text.length;
    }
  }
  return builder.build();
}

const bits = (modifiers: readonly Modifier[]): number =>
  modifiers.reduce((sum, modifier) => sum | (1 << MODIFIERS.indexOf(modifier)), 0);

interface Style {
  readonly type: TokenType;
  readonly modifiers: readonly Modifier[];
}

const look = (type: TokenType, ...modifiers: readonly Modifier[]): Style => ({ type, modifiers });

function lookOf(token: IToken, occurrence: Occurrence | undefined, isCalled: boolean): Style | undefined {
  const { name } = token.tokenType;
  if (/Comment$/.test(name))
    return name === 'DocComment' ? look('comment', 'documentation') : look('comment');
  if (isString(token)) return look('string');
  if (isNumber(token)) return look('number');
  if (occurrence !== undefined) {
    const { type, modifiers } = nameLook(occurrence.target);
    return { type, modifiers: occurrence.isDeclaration ? ['declaration', ...modifiers] : modifiers };
  }
  if (isOperator(token) && !/^[a-z]+$/.test(token.image)) return look('operator');
  if (name !== 'Identifier' && /^[a-z]+$/.test(token.image)) return look('keyword');
  if (isBlockKind(token)) return look('keyword');
  return isWord(token) ? look(isCalled ? 'function' : 'variable') : undefined;
}

const DECLARED = {
  param: look('parameter', 'readonly'),
  matrix: look('parameter', 'readonly'),
  secret: look('parameter', 'readonly'),
  preset: look('interface'),
  machine: look('class'),
  stage: look('class'),
  budget: look('class'),
  native: look('function', 'defaultLibrary'),
} as const;

const LOOKS: Readonly<Record<Exclude<Target['kind'], 'declared'>, Style>> = {
  function: look('function', 'defaultLibrary'),
  setting: look('property'),
  argument: look('property'),
  port: look('method'),
  metric: look('method', 'defaultLibrary'),
  root: look('variable', 'defaultLibrary'),
  field: look('method', 'defaultLibrary'),
  method: look('enumMember', 'defaultLibrary'),
  choice: look('enumMember', 'defaultLibrary'),
  block_kind: look('keyword'),
  param_type: look('type', 'defaultLibrary'),
  module: look('string'),
  path: look('string'),
};

const nameLook = (target: Target): Style =>
  target.kind === 'declared' ? DECLARED[target.declared.what] : LOOKS[target.kind];
