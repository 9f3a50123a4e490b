/**
 * The one place where the parser library is loaded. Its entry pulls in about 600 small files, lodash's among them, and
 * most of the time of `ftpc check` went into opening them; the same package ships all of it as one minified file.
 */
import type * as Chevrotain from 'chevrotain';

const bundle = new URL('../chevrotain.min.mjs', import.meta.resolve('chevrotain'));

export const {
  createToken,
  createTokenInstance,
  CstParser,
  EOF,
  Lexer,
  tokenLabel,
  tokenMatcher,
}: typeof Chevrotain = await import(bundle.href);

export type {
  ILexingResult,
  IParserErrorMessageProvider,
  IRecognitionException,
  IToken,
  TokenType,
} from 'chevrotain';
