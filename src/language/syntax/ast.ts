/** The syntax tree: what was written, with spans; nothing is resolved or typed yet. */
import type { BinaryOperatorText } from '../../../grammar/operators.js';
import type { Span } from '../source/span.js';

export interface Word {
  readonly text: string;
  readonly span: Span;
}

export type Expression =
  | { readonly kind: 'number'; readonly value: number; readonly span: Span }
  /** `suffix` is one of the language's units. */
  | { readonly kind: 'quantity'; readonly value: number; readonly suffix: string; readonly span: Span }
  /** `24gb`: a number with a suffix that is no unit. */
  | { readonly kind: 'bad_quantity'; readonly digits: string; readonly suffix: string; readonly span: Span }
  | { readonly kind: 'string'; readonly value: string; readonly span: Span }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly span: Span }
  | { readonly kind: 'none'; readonly span: Span }
  | { readonly kind: 'list'; readonly items: readonly Expression[]; readonly span: Span }
  | { readonly kind: 'record'; readonly entries: readonly Entry[]; readonly span: Span }
  /** `adapter.best`; one word is a path of length one. */
  | { readonly kind: 'reference'; readonly path: readonly Word[]; readonly span: Span }
  | {
      readonly kind: 'call';
      readonly callee: Word;
      readonly args: readonly Argument[];
      readonly span: Span;
    }
  | {
      readonly kind: 'unary';
      readonly operator: 'not' | '-';
      readonly operand: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperatorText;
      readonly left: Expression;
      readonly right: Expression;
      /** In parentheses: then comparisons may be next to each other. */
      readonly grouped?: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'conditional';
      readonly condition: Expression;
      readonly whenTrue: Expression;
      readonly whenFalse: Expression;
      readonly span: Span;
    }
  /** Something that could not be read; it has been reported. */
  | { readonly kind: 'missing'; readonly span: Span };

export interface Entry {
  readonly key: Word;
  readonly value: Expression;
}

export interface Argument {
  readonly name?: Word;
  readonly value: Expression;
}

export interface Edition {
  readonly year: number;
  readonly span: Span;
}

export interface Import {
  readonly names: readonly Word[];
  readonly from: Word;
  readonly span: Span;
}

/** `(1..64)`, either end of which may be left out. */
export interface Range {
  readonly min?: Expression;
  readonly max?: Expression;
  /** With its brackets. */
  readonly span: Span;
}

export interface Param {
  readonly name: Word;
  readonly type: Word;
  readonly range?: Range;
  readonly value?: Expression;
  readonly doc?: string;
  readonly span: Span;
}

/** `matrix rate: Number = [1e-4, 2e-4]`: a parameter with several values. */
export interface Matrix {
  readonly name: Word;
  readonly type: Word;
  readonly range?: Range;
  readonly value: Expression;
  readonly doc?: string;
  readonly span: Span;
}

export interface Secret {
  readonly name: Word;
  readonly value: Expression;
  readonly doc?: string;
  readonly span: Span;
}

/** `native jsonl from source` */
export interface Native {
  readonly name: Word;
  readonly family: Word;
  readonly doc?: string;
  readonly span: Span;
}

export interface Property {
  readonly key: Word;
  readonly value: Expression;
}

export interface Requirement {
  readonly condition: Expression;
  /** From `require` to the end of the condition. */
  readonly span: Span;
}

interface Body {
  /** Methods and presets, as written; none if there is no `using`. */
  readonly using: readonly Word[];
  readonly properties: readonly Property[];
  readonly requirements: readonly Requirement[];
  readonly doc?: string;
  readonly span: Span;
  /** A syntax error lies in it: what is absent from it proves nothing. */
  readonly broken: boolean;
}

export interface Block extends Body {
  readonly kind: Word;
  readonly name: Word;
}

/** `preset small for train using lora { … }` */
export interface Preset extends Body {
  readonly name: Word;
  readonly target: Word;
}

/** `machine workstation using rtx_3090 { … }` */
export interface Machine extends Body {
  readonly name: Word;
}

/** `expect plan.peak_memory < 24GiB` */
export interface Expectation {
  readonly condition: Expression;
  /** From `expect` to the end of the condition. */
  readonly span: Span;
}

/** `test "fits a small card" { … }` */
export interface Test {
  /** The string's value; its span has the quotes. */
  readonly name: Word;
  readonly properties: readonly Property[];
  readonly expectations: readonly Expectation[];
  readonly doc?: string;
  readonly span: Span;
  /** A syntax error lies in it: what is absent from it proves nothing. */
  readonly broken: boolean;
}

export interface Comment {
  readonly kind: 'line' | 'doc' | 'foreign';
  readonly text: string;
  readonly span: Span;
}

export interface SourceFile {
  readonly file: string;
  readonly doc?: string;
  readonly edition?: Edition;
  readonly imports: readonly Import[];
  readonly params: readonly Param[];
  readonly matrices: readonly Matrix[];
  readonly secrets: readonly Secret[];
  readonly natives: readonly Native[];
  readonly presets: readonly Preset[];
  readonly machines: readonly Machine[];
  readonly blocks: readonly Block[];
  readonly tests: readonly Test[];
  /** Every comment, in order: no tool that writes a file back may lose one. */
  readonly comments: readonly Comment[];
  /** A syntax error lies somewhere in the file. */
  readonly broken: boolean;
}
