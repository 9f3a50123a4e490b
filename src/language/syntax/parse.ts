/** Text → syntax tree. Never throws; what is wrong is reported, one error a mistake. */
import type { IToken } from '../../../grammar/chevrotain.js';
import {
  FOREIGN_SIGNS,
  isForeignSign,
  STRINGS,
  startsDeclaration,
  UnterminatedString,
} from '../../../grammar/tokens.js';
import * as errors from '../diagnostics/catalogue/syntax.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { positionAt, type SourceText } from '../source/text.js';
import type { Comment, Expression, SourceFile } from './ast.js';
import { MOST_AGAIN, read, readDeclaration } from './by-line.js';
import { foreignCharacters, hiddenCharacters } from './characters.js';
import { declarationsOf } from './declarations.js';
import { collectDocs } from './docs.js';
import { ExpressionBuilder } from './expressions.js';
import { lex } from './lex.js';
import { offsetOf, syntaxErrors } from './syntax-errors.js';
import { TreeBuilder } from './tree.js';

export interface ParseResult {
  readonly tree: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
}

/** After these something is missing from the tree. */
const BREAKING = new Set(['FTP0101', 'FTP0117']);

/** A text with more characters that are not part of the language is not a pipeline: nothing is concluded from the rest. */
const MOST_FOREIGN = 200;

/** Mistakes after which no more are looked for: each costs far more than what is right. */
const MOST_MISTAKES = 1000;

/** Something that is outside of every block, and no declaration. */
const OUTSIDE = 'FTP0111';

/** After what is outside, a piece that no declaration begins is the same mistake. */
const goesOn = ([first, second]: readonly IToken[]): boolean =>
  first !== undefined && !startsDeclaration(first, second);

export function parse(source: SourceText): ParseResult {
  const { layout, diagnostics, comments } = start(source);
  const breaking = diagnostics.filter(({ code }) => BREAKING.has(code)).map(offsetOf);
  const isReadable = layout.excess === undefined && diagnostics.length <= MOST_FOREIGN;
  let isSound = breaking.length === 0;
  let errorsAt: readonly number[] = breaking;
  const tree = new TreeBuilder({
    source,
    docs: collectDocs(comments, source.text),
    comments,
    isBroken: (start, end) => errorsAt.some((at) => at >= start && at <= end),
    report: (diagnostic) => diagnostics.push(diagnostic),
  });
  let mistakes = 0;
  const budget = { tokens: MOST_AGAIN };
  let isOutside = false;
  for (const tokens of isReadable ? declarationsOf(layout) : []) {
    if (isOutside && goesOn(tokens)) continue;
    if (mistakes >= MOST_MISTAKES) break;
    const { node, diagnostics: found } = readDeclaration(tokens, layout.blockBraces, source, budget);
    errorsAt = found.length === 0 ? breaking : [...breaking, ...found.map(offsetOf)];
    isOutside = found.some(({ code }) => code === OUTSIDE);
    mistakes += found.length;
    isSound &&= found.length === 0;
    diagnostics.push(...found);
    if (node !== undefined) tree.add(node);
  }
  return { tree: tree.finish(isSound), diagnostics: oneALine(diagnostics, source) };
}

/** A single expression, such as the value of a parameter on the command line. */
export function parseExpression(source: SourceText): {
  readonly expression: Expression;
  readonly diagnostics: readonly Diagnostic[];
} {
  const { layout, diagnostics } = start(source);
  const isReadable = layout.excess === undefined;
  const { node, failures } = isReadable
    ? read('expression', layout.tokens)
    : { node: undefined, failures: [] };
  const builder = new ExpressionBuilder(source, (diagnostic) => diagnostics.push(diagnostic));
  const expression = builder.expression(node, 0);
  diagnostics.push(...syntaxErrors(failures, layout.tokens, source));
  return { expression, diagnostics: oneALine(diagnostics, source) };
}

function start(source: SourceText) {
  const { result, layout } = lex(source);
  const comments = (result.groups['comments'] ?? []).map((token) => comment(token, source.file));
  const { excess } = layout;
  const { file } = source;
  const diagnostics: Diagnostic[] = result.errors
    .slice(0, MOST_MISTAKES)
    .map((error) =>
      foreignCharacters({ file, start: error.offset, end: error.offset + error.length }, source),
    );
  const spanOf = ({ startOffset, image }: IToken) => ({
    file,
    start: startOffset,
    end: startOffset + image.length,
  });
  const strings = result.tokens.filter(({ tokenType }) => STRINGS.includes(tokenType));
  diagnostics.push(
    ...hiddenCharacters(
      source,
      () => strings.map(spanOf),
      () => comments.map(({ span }) => span),
    ).slice(0, MOST_MISTAKES),
    ...strings
      .filter(({ tokenType }) => tokenType === UnterminatedString)
      .slice(0, MOST_MISTAKES)
      .map((string) => errors.unterminatedString(spanOf(string))),
    ...comments
      .filter(({ kind }) => kind === 'foreign')
      .slice(0, MOST_MISTAKES)
      .map(({ span, text }) => errors.foreignComment(span, text)),
    ...result.tokens
      .filter(isForeignSign)
      .slice(0, MOST_MISTAKES)
      .flatMap((token) => {
        const meant = FOREIGN_SIGNS.get(token.image);
        return meant === undefined ? [] : [errors.foreignSign(spanOf(token), token.image, meant)];
      }),
  );
  if (excess !== undefined) diagnostics.push(errors.expressionTooLarge(spanOf(excess)));
  return { layout, comments, diagnostics };
}

const KINDS: Readonly<Record<string, Comment['kind']>> = { DocComment: 'doc', LineComment: 'line' };

const comment = (token: IToken, file: string): Comment => ({
  kind: KINDS[token.tokenType.name] ?? 'foreign',
  text: token.image,
  span: { file, start: token.startOffset, end: token.startOffset + token.image.length },
});

/** What the parser and the tree builder conclude, rather than see. */
const GUESSES = new Set(['FTP0107', 'FTP0108', 'FTP0109', 'FTP0110', 'FTP0111', 'FTP0112', 'FTP0113']);

/** `=` for `:` or the other way round. */
const SIGN = 'FTP0112';

/** After one of these, or before it, the rest of its line cannot be read for certain. */
const UNREADABLE = new Set(['FTP0101', 'FTP0102']);

/** What is wrong later on a line may follow from what is wrong earlier: only the first guess is certain. */
function oneALine(diagnostics: readonly Diagnostic[], source: SourceText): readonly Diagnostic[] {
  if (diagnostics.length < 2) return diagnostics;
  const lineOf = (diagnostic: Diagnostic): number => positionAt(source, offsetOf(diagnostic)).line;
  const sorted = [...diagnostics].sort((a, b) => offsetOf(a) - offsetOf(b));
  const taken = new Set(sorted.filter(({ code }) => UNREADABLE.has(code)).map(lineOf));
  const kept: Diagnostic[] = [];
  /** Where in `kept` the signs of a line are: a megabyte of mistakes is to end, too. */
  const signs = new Map<number, number>();
  for (const diagnostic of sorted) {
    const line = lineOf(diagnostic);
    const isGuess = GUESSES.has(diagnostic.code);
    const before = diagnostic.code === SIGN ? (signs.get(line) ?? -1) : -1;
    const first = kept[before];
    if (first !== undefined) kept[before] = errors.withMoreSigns(first, diagnostic);
    else if (!isGuess || !taken.has(line)) {
      if (diagnostic.code === SIGN) signs.set(line, kept.length);
      kept.push(diagnostic);
    }
    if (isGuess) taken.add(line);
  }
  return withoutClosing(kept, source);
}

/** A block that is not closed where the next begins, and a brace too many after that: one block is in another. */
function withoutClosing(diagnostics: readonly Diagnostic[], { text }: SourceText): readonly Diagnostic[] {
  const open: Diagnostic[] = [];
  const explained = new Set<Diagnostic>();
  for (const diagnostic of diagnostics) {
    if (diagnostic.code === 'FTP0108') open.push(diagnostic);
    const isBrace = diagnostic.code === 'FTP0111' && text[offsetOf(diagnostic)] === '}';
    const outer = isBrace ? open.pop() : undefined;
    if (outer !== undefined) explained.add(diagnostic).add(outer);
  }
  return diagnostics.flatMap((diagnostic) =>
    !explained.has(diagnostic)
      ? [diagnostic]
      : diagnostic.code === 'FTP0108'
        ? [errors.blockInside(diagnostic)]
        : [],
  );
}
