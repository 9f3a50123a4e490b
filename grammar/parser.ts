/**
 * The rules of the language, and nothing else. LL(2), no backtracking, no actions: the parser takes more
 * than the language allows (unknown block kinds, `:` for `=`, missing commas), and the tree builder and the
 * checker say what is wrong with it, one error a mistake.
 */
import {
  CstParser,
  type IRecognitionException,
  type IToken,
  type TokenType,
  tokenMatcher,
} from './chevrotain.js';
import { Expectations, TooManyFailures } from './expectations.js';
import { SyntaxNode } from './node.js';
import {
  BadQuantity,
  BinaryOperator,
  BlockKind,
  Colon,
  Comma,
  Dot,
  Edition,
  Expect,
  False,
  For,
  ForeignString,
  From,
  Identifier,
  Import,
  LCurly,
  LParen,
  LSquare,
  Machine,
  Matrix,
  Name,
  Native,
  Newline,
  None,
  NumberLiteral,
  Param,
  PrefixOperator,
  Preset,
  Quantity,
  Question,
  RCurly,
  Require,
  RParen,
  RSquare,
  Secret,
  Sets,
  StringLiteral,
  Test,
  To,
  True,
  Unreadable,
  UnterminatedString,
  Using,
  VOCABULARY,
  Word,
} from './tokens.js';

/** With more failures than these a text is no pipeline: the rest of it is not read. */
const MOST_FAILURES = 200;

export interface ParserOutput {
  /** Absent where there were too many failures. */
  readonly node: SyntaxNode | undefined;
  readonly failures: readonly IRecognitionException[];
}

export class FtpParser extends CstParser {
  private readonly expectations: Expectations;
  /** The library's own list of the nodes that are being built. */
  declare private readonly CST_STACK: SyntaxNode[];

  /** `validate` looks for ambiguous and left-recursive rules, which a test does once for all. */
  constructor({ validate = false }: { readonly validate?: boolean } = {}) {
    const expectations = new Expectations(MOST_FAILURES);
    super(VOCABULARY, {
      recoveryEnabled: true,
      maxLookahead: 2,
      errorMessageProvider: expectations,
      skipValidations: !validate,
    });
    this.expectations = expectations;
    this.performSelfAnalysis();
  }

  /** Everything in `tokens` by one rule. Never throws. */
  read(rule: 'program' | 'expression', tokens: IToken[]): ParserOutput {
    this.input = tokens;
    this.expectations.restart();
    try {
      // What the methods at the end of this class build.
      const node = this[rule]() as unknown as SyntaxNode;
      return { node, failures: this.errors };
    } catch (error) {
      if (!(error instanceof TooManyFailures)) throw error;
      return { node: undefined, failures: this.errors };
    }
  }

  // Alternatives are outside of their rules: inside, a list of functions would be made for every value of a file.

  private readonly statements = [
    { ALT: () => this.CONSUME(Newline) },
    { ALT: () => this.CONSUME(Comma) },
    { ALT: () => this.SUBRULE(this.property) },
    { ALT: () => this.SUBRULE(this.requirement) },
    { ALT: () => this.SUBRULE(this.expectation) },
  ];

  private readonly values = [
    { ALT: () => this.CONSUME(NumberLiteral) },
    { ALT: () => this.CONSUME(Quantity) },
    { ALT: () => this.CONSUME(BadQuantity) },
    { ALT: () => this.CONSUME(Unreadable) },
    { ALT: () => this.SUBRULE(this.text) },
    { ALT: () => this.CONSUME(True) },
    { ALT: () => this.CONSUME(False) },
    { ALT: () => this.CONSUME(None) },
    { ALT: () => this.SUBRULE(this.group) },
    { ALT: () => this.SUBRULE(this.list) },
    { ALT: () => this.SUBRULE(this.record) },
    { ALT: () => this.SUBRULE(this.reference) },
  ];

  /** A file: declarations in any order. */
  program = this.RULE('program', () => {
    this.MANY({
      GATE: () => this.LA(1).tokenType !== Identifier || this.startsBlock(this.LA(2)),
      DEF: () =>
        this.OR([
          { ALT: () => this.CONSUME(Newline) },
          { ALT: () => this.SUBRULE(this.edition) },
          { ALT: () => this.SUBRULE(this.importing) },
          { ALT: () => this.SUBRULE(this.param) },
          { ALT: () => this.SUBRULE(this.matrix) },
          { ALT: () => this.SUBRULE(this.machine) },
          { ALT: () => this.SUBRULE(this.secret) },
          { ALT: () => this.SUBRULE(this.native) },
          { ALT: () => this.SUBRULE(this.preset) },
          { ALT: () => this.SUBRULE(this.test) },
          { ALT: () => this.SUBRULE(this.block) },
        ]),
    });
  });

  /** `edition 2026` */
  edition = this.RULE('edition', () => {
    this.CONSUME(Edition);
    this.CONSUME(NumberLiteral);
  });

  /** `import { jsonl } from "std/data"` */
  importing = this.RULE('importing', () => {
    this.CONSUME(Import);
    this.CONSUME(LCurly);
    this.MANY(() => {
      this.CONSUME(Name);
      this.OPTION(() => this.CONSUME(Comma));
    });
    this.CONSUME(RCurly);
    this.CONSUME(From);
    this.SUBRULE(this.text);
  });

  /** `param smoke: Bool = false` */
  param = this.RULE('param', () => {
    this.CONSUME(Param);
    this.CONSUME(Name);
    this.CONSUME(Colon);
    this.CONSUME2(Name);
    this.OPTION1(() => this.SUBRULE(this.range));
    this.OPTION2(() => {
      this.CONSUME(Sets);
      this.SUBRULE(this.expression);
    });
  });

  /** `(1..64)`, `(8tok..)`: what a number may be. */
  range = this.RULE('range', () => {
    this.CONSUME(LParen);
    this.OPTION1(() => this.SUBRULE1(this.expression, { LABEL: 'min' }));
    this.CONSUME(To);
    this.OPTION2(() => this.SUBRULE2(this.expression, { LABEL: 'max' }));
    this.CONSUME(RParen);
  });

  /** `matrix rate: Number = [1e-4, 2e-4]` */
  matrix = this.RULE('matrix', () => {
    this.CONSUME(Matrix);
    this.CONSUME(Name);
    this.CONSUME(Colon);
    this.CONSUME2(Name);
    this.OPTION(() => this.SUBRULE(this.range));
    this.CONSUME(Sets);
    this.SUBRULE(this.expression);
  });

  /** `secret token = env("HF_TOKEN")` */
  secret = this.RULE('secret', () => {
    this.CONSUME(Secret);
    this.CONSUME(Name);
    this.CONSUME(Sets);
    this.SUBRULE(this.expression);
  });

  /** `native jsonl from source`: only in the standard library. */
  native = this.RULE('native', () => {
    this.CONSUME(Native);
    this.CONSUME(Name);
    this.CONSUME(From);
    this.CONSUME2(Name);
  });

  /** `preset small for train using lora { … }` */
  preset = this.RULE('preset', () => {
    this.CONSUME(Preset);
    this.CONSUME(Name);
    this.CONSUME(For);
    this.CONSUME(Word);
    this.OPTION(() => this.SUBRULE(this.using));
    this.SUBRULE(this.body);
  });

  /** `machine workstation using rtx_3090 { … }` */
  machine = this.RULE('machine', () => {
    this.CONSUME(Machine);
    this.CONSUME(Name);
    this.OPTION(() => this.SUBRULE(this.using));
    this.SUBRULE(this.body);
  });

  /** `train adapter using qlora { … }`; a kind that does not exist is the checker's to report. */
  block = this.RULE('block', () => {
    this.OR([{ ALT: () => this.CONSUME(BlockKind) }, { ALT: () => this.CONSUME(Identifier) }]);
    this.CONSUME(Name);
    this.OPTION(() => this.SUBRULE(this.using));
    this.SUBRULE(this.body);
  });

  /** `test "fits a small card" { … }`: only in files of tests. */
  test = this.RULE('test', () => {
    this.CONSUME(Test);
    this.SUBRULE(this.text);
    this.SUBRULE(this.body);
  });

  /** `using qlora, careful` */
  using = this.RULE('using', () => {
    this.CONSUME(Using);
    this.CONSUME1(Name);
    this.MANY(() => {
      this.CONSUME(Comma);
      this.CONSUME2(Name);
    });
  });

  body = this.RULE('body', () => {
    this.CONSUME(LCurly);
    this.MANY(() => this.OR(this.statements));
    this.CONSUME(RCurly);
  });

  property = this.RULE('property', () => {
    this.CONSUME(Name);
    this.CONSUME(Sets);
    this.SUBRULE(this.expression);
  });

  requirement = this.RULE('requirement', () => {
    this.CONSUME(Require);
    this.SUBRULE(this.expression);
  });

  /** `expect plan.peak_memory < 24GiB`: only in tests. */
  expectation = this.RULE('expectation', () => {
    this.CONSUME(Expect);
    this.SUBRULE(this.expression);
  });

  /** `smoke ? 200 : none` */
  expression = this.RULE('expression', () => {
    this.SUBRULE(this.operation);
    this.OPTION(() => {
      this.CONSUME(Question);
      this.SUBRULE1(this.expression);
      this.CONSUME(Colon);
      this.SUBRULE2(this.expression);
    });
  });

  /** Operands and operators in a row; the tree builder applies `operators.ts`. */
  operation = this.RULE('operation', () => {
    this.SUBRULE(this.operand);
    this.MANY(() => {
      this.CONSUME(BinaryOperator);
      this.SUBRULE1(this.operand);
    });
  });

  operand = this.RULE('operand', () => {
    this.MANY(() => this.CONSUME(PrefixOperator));
    this.OR(this.values);
  });

  text = this.RULE('text', () => {
    this.OR([
      { ALT: () => this.CONSUME(StringLiteral) },
      { ALT: () => this.CONSUME(UnterminatedString) },
      { ALT: () => this.CONSUME(ForeignString) },
    ]);
  });

  group = this.RULE('group', () => {
    this.CONSUME(LParen);
    this.SUBRULE(this.expression);
    this.CONSUME(RParen);
  });

  list = this.RULE('list', () => {
    this.CONSUME(LSquare);
    this.MANY(() => {
      this.SUBRULE(this.expression);
      this.OPTION(() => this.CONSUME(Comma));
    });
    this.CONSUME(RSquare);
  });

  record = this.RULE('record', () => {
    this.CONSUME(LCurly);
    this.MANY(() => this.SUBRULE(this.entry));
    this.CONSUME(RCurly);
  });

  entry = this.RULE('entry', () => {
    this.OR([{ ALT: () => this.CONSUME(Word) }, { ALT: () => this.CONSUME(StringLiteral) }]);
    this.CONSUME(Sets);
    this.SUBRULE(this.expression);
    this.OPTION(() => this.CONSUME(Comma));
  });

  /** `adapter.best`, `near(0.9)` */
  reference = this.RULE('reference', () => {
    this.CONSUME(Name);
    this.MANY(() => {
      this.CONSUME(Dot);
      this.CONSUME(Word);
    });
    this.OPTION(() => this.SUBRULE(this.call));
  });

  call = this.RULE('call', () => {
    this.CONSUME(LParen);
    this.MANY(() => this.SUBRULE(this.argument));
    this.CONSUME(RParen);
  });

  argument = this.RULE('argument', () => {
    this.OPTION({
      GATE: () => tokenMatcher(this.LA(2), Sets),
      DEF: () => {
        this.CONSUME(Word);
        this.CONSUME(Sets);
      },
    });
    this.SUBRULE(this.expression);
    this.OPTION2(() => this.CONSUME(Comma));
  });

  /** An unknown kind is taken for a block where a name or a brace follows. */
  private startsBlock(next: IToken): boolean {
    return tokenMatcher(next, Name) || next.tokenType === LCurly;
  }

  // These four take the place of the library's methods of the same names.

  /** The library's own list of what may go on after a mistake. */
  declare private readonly flattenFollowSet: () => readonly TokenType[];

  /** The library looks through the whole list for each token that is skipped: a megabyte of them takes a minute. */
  protected findReSyncTokenType(): TokenType {
    const follows = this.flattenFollowSet();
    const skipped = new Set<TokenType>();
    for (let ahead = 1; ; ahead++) {
      const token = this.LA(ahead);
      if (skipped.has(token.tokenType)) continue;
      const found = follows.find((type) => tokenMatcher(token, type));
      if (found !== undefined) return found;
      skipped.add(token.tokenType);
    }
  }

  protected cstInvocationStateUpdate(rule: string): void {
    this.CST_STACK.push(new SyntaxNode(rule));
  }

  protected cstPostTerminal(key: string, token: IToken): void {
    this.CST_STACK.at(-1)?.token(key, token);
  }

  protected cstPostNonTerminal(node: SyntaxNode, key: string): void {
    this.CST_STACK.at(-1)?.node(key, node);
  }
}
