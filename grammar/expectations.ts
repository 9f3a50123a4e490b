/** What the parser wanted when it failed, as data in the exception's message: texts are made by the diagnostics. */
import { type IParserErrorMessageProvider, type IRecognitionException, tokenLabel } from './chevrotain.js';

export type Expectation =
  | { readonly kind: 'token'; readonly token: string; readonly label: string; readonly rule: string }
  | { readonly kind: 'choice'; readonly rule: string }
  | { readonly kind: 'end'; readonly rule: string };

/** Ends the reading of a text that is no pipeline. */
export class TooManyFailures extends Error {
  override readonly name = 'TooManyFailures';
}

/** Counts failures as well: each makes the library's recovery go one call deeper, so many take quadratic time. */
export class Expectations implements IParserErrorMessageProvider {
  private failures = 0;

  constructor(private readonly most: number) {}

  restart(): void {
    this.failures = 0;
  }

  readonly buildMismatchTokenMessage: IParserErrorMessageProvider['buildMismatchTokenMessage'] = ({
    expected,
    ruleName,
  }) => this.say({ kind: 'token', token: expected.name, label: tokenLabel(expected), rule: ruleName });
  readonly buildNotAllInputParsedMessage: IParserErrorMessageProvider['buildNotAllInputParsedMessage'] = ({
    ruleName,
  }) => this.say({ kind: 'end', rule: ruleName });
  readonly buildNoViableAltMessage: IParserErrorMessageProvider['buildNoViableAltMessage'] = ({ ruleName }) =>
    this.say({ kind: 'choice', rule: ruleName });
  readonly buildEarlyExitMessage: IParserErrorMessageProvider['buildEarlyExitMessage'] = ({ ruleName }) =>
    this.say({ kind: 'choice', rule: ruleName });

  private say(expectation: Expectation): string {
    if (++this.failures > this.most) throw new TooManyFailures();
    return JSON.stringify(expectation);
  }
}

export const expectationOf = (error: IRecognitionException): Expectation =>
  JSON.parse(error.message) as Expectation;
