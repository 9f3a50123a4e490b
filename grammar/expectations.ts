/** What the parser wanted when it failed, as data in the exception's message: texts are made by the diagnostics. */
import { type IParserErrorMessageProvider, type IRecognitionException, tokenLabel } from './chevrotain.js';

export type Expectation =
  | { readonly kind: 'token'; readonly token: string; readonly label: string; readonly rule: string }
  | { readonly kind: 'choice'; readonly rule: string }
  | { readonly kind: 'end'; readonly rule: string };

const encode = (expectation: Expectation): string => JSON.stringify(expectation);

export const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, ruleName }) =>
    encode({ kind: 'token', token: expected.name, label: tokenLabel(expected), rule: ruleName }),
  buildNotAllInputParsedMessage: ({ ruleName }) => encode({ kind: 'end', rule: ruleName }),
  buildNoViableAltMessage: ({ ruleName }) => encode({ kind: 'choice', rule: ruleName }),
  buildEarlyExitMessage: ({ ruleName }) => encode({ kind: 'choice', rule: ruleName }),
};

export const expectationOf = (error: IRecognitionException): Expectation =>
  JSON.parse(error.message) as Expectation;
