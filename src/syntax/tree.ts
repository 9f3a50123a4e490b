/** Concrete syntax → syntax tree of a file. */
import type { CstNode, IToken } from '../../grammar/chevrotain.js';
import * as errors from '../diagnostics/catalogue/syntax.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import type {
  Block,
  Comment,
  Expectation,
  Import,
  Matrix,
  Native,
  Param,
  Preset,
  Property,
  Range,
  Requirement,
  Secret,
  SourceFile,
  Test,
  Word,
} from './ast.js';
import { endOf, extent, node, nodes, startOf, token, tokens } from './cst.js';
import type { Docs } from './docs.js';
import { ExpressionBuilder } from './expressions.js';

type Body = Pick<Block, 'using' | 'properties' | 'requirements' | 'span' | 'broken' | 'doc'>;

/** What the builder needs to know of the file besides its tree. */
export interface TreeContext {
  readonly file: string;
  readonly docs: Docs;
  readonly comments: readonly Comment[];
  /** Offsets of syntax errors. */
  readonly errorsAt: readonly number[];
  readonly report: (diagnostic: Diagnostic) => void;
}

export function buildTree(program: CstNode, context: TreeContext): SourceFile {
  return new TreeBuilder(context).file(program);
}

class TreeBuilder {
  private readonly expressions: ExpressionBuilder;

  constructor(private readonly context: TreeContext) {
    this.expressions = new ExpressionBuilder(context.file, context.report);
  }

  file(program: CstNode): SourceFile {
    const { docs, file, comments, errorsAt } = this.context;
    const edition = this.edition(program);
    return {
      file,
      doc: docs.ofFile(this.firstStart(program)),
      edition,
      imports: nodes(program, 'importing').map((child) => this.importing(child)),
      params: nodes(program, 'param').flatMap((child) => this.param(child)),
      matrices: nodes(program, 'matrix').flatMap((child) => this.matrix(child)),
      secrets: nodes(program, 'secret').flatMap((child) => this.secret(child)),
      natives: nodes(program, 'native').flatMap((child) => this.native(child)),
      presets: nodes(program, 'preset').flatMap((child) => this.preset(child)),
      blocks: nodes(program, 'block').flatMap((child) => this.block(child)),
      tests: nodes(program, 'test').flatMap((child) => this.test(child)),
      comments,
      broken: errorsAt.length > 0,
    };
  }

  private firstStart(program: CstNode): number {
    return extent(program)?.start ?? 0;
  }

  private edition(program: CstNode): SourceFile['edition'] {
    const first = this.firstStart(program);
    let edition: SourceFile['edition'];
    for (const child of nodes(program, 'edition')) {
      const span = this.expressions.spanOf(child, 0);
      const year = token(child, 'NumberLiteral');
      if (span.start !== first || edition !== undefined) this.context.report(errors.misplacedEdition(span));
      else if (year !== undefined && year.image !== '2026')
        this.context.report(errors.unknownEdition(span, Number(year.image)));
      edition ??= { year: Number(year?.image ?? 2026), span };
    }
    if (edition === undefined && this.context.errorsAt.length === 0)
      this.context.report(errors.missingEdition(this.context.file));
    return edition;
  }

  private importing(parent: CstNode): Import {
    const names = tokens(parent, 'Name').filter((name) => name.isInsertedInRecovery !== true);
    const span = this.expressions.spanOf(parent, 0);
    const text = node(parent, 'text');
    const commas = tokens(parent, 'Comma');
    for (const [i, name] of names.slice(0, -1).entries()) {
      const next = names[i + 1];
      const end = endOf(name);
      if (
        next !== undefined &&
        !commas.some((comma) => startOf(comma) >= end && startOf(comma) < startOf(next))
      )
        this.context.report(errors.missingSeparator(this.at(end), 'the names of an import'));
    }
    return {
      names: names.map((name) => this.expressions.word(name)),
      from: (text && this.expressions.text(text)) ?? { text: '', span: { ...span, start: span.end } },
      span,
    };
  }

  private param(parent: CstNode): readonly Param[] {
    const [name, type] = [token(parent, 'Name', 0), token(parent, 'Name', 1)];
    if (name === undefined) return [];
    const sets = token(parent, 'Sets');
    if (sets?.image === ':') this.context.report(errors.wrongSetSign(this.expressions.span(sets), '='));
    const span = this.expressions.spanOf(parent, 0);
    const value = node(parent, 'expression');
    return [
      {
        name: this.expressions.word(name),
        type: type === undefined ? { text: '', span: this.at(endOf(name)) } : this.expressions.word(type),
        range: this.range(parent),
        value:
          value === undefined && sets === undefined
            ? undefined
            : this.expressions.expression(value, span.end),
        doc: this.context.docs.before(span.start),
        span,
      },
    ];
  }

  private range(parent: CstNode): Range | undefined {
    const found = node(parent, 'range');
    if (found === undefined) return undefined;
    const span = this.expressions.spanOf(found, 0);
    const end = (label: 'min' | 'max') => {
      const written = node(found, label);
      return written === undefined ? undefined : this.expressions.expression(written, span.start);
    };
    return { min: end('min'), max: end('max'), span };
  }

  private matrix(parent: CstNode): readonly Matrix[] {
    const [name, type] = [token(parent, 'Name', 0), token(parent, 'Name', 1)];
    if (name === undefined) return [];
    this.sign(parent);
    const span = this.expressions.spanOf(parent, 0);
    return [
      {
        name: this.expressions.word(name),
        type: type === undefined ? { text: '', span: this.at(endOf(name)) } : this.expressions.word(type),
        range: this.range(parent),
        value: this.expressions.expression(node(parent, 'expression'), span.end),
        doc: this.context.docs.before(span.start),
        span,
      },
    ];
  }

  private secret(parent: CstNode): readonly Secret[] {
    const name = token(parent, 'Name');
    if (name === undefined) return [];
    this.sign(parent);
    const span = this.expressions.spanOf(parent, 0);
    return [
      {
        name: this.expressions.word(name),
        value: this.expressions.expression(node(parent, 'expression'), span.end),
        doc: this.context.docs.before(span.start),
        span,
      },
    ];
  }

  private native(parent: CstNode): readonly Native[] {
    const [name, family] = [token(parent, 'Name', 0), token(parent, 'Name', 1)];
    if (name === undefined || family === undefined) return [];
    const span = this.expressions.spanOf(parent, 0);
    return [
      {
        name: this.expressions.word(name),
        family: this.expressions.word(family),
        doc: this.context.docs.before(span.start),
        span,
      },
    ];
  }

  private preset(parent: CstNode): readonly Preset[] {
    const [name, target] = [token(parent, 'Name'), token(parent, 'Word')];
    if (name === undefined || target === undefined) return [];
    return [
      { name: this.expressions.word(name), target: this.expressions.word(target), ...this.body(parent) },
    ];
  }

  private block(parent: CstNode): readonly Block[] {
    const kind = token(parent, 'BlockKind') ?? token(parent, 'Identifier');
    if (kind === undefined) return [];
    const body = this.body(parent);
    const name = token(parent, 'Name');
    const word: Word =
      name === undefined ? { text: '', span: this.at(endOf(kind)) } : this.expressions.word(name);
    return [
      { kind: this.expressions.word(kind), name: word, ...body, broken: body.broken || name === undefined },
    ];
  }

  private test(parent: CstNode): readonly Test[] {
    const text = node(parent, 'text');
    const span = this.expressions.spanOf(parent, 0);
    const name = (text && this.expressions.text(text)) ?? { text: '', span: { ...span, end: span.start } };
    const { using: _, requirements, expectations, ...body } = this.content(parent);
    for (const requirement of requirements)
      this.context.report(errors.requireInTest(this.keyword(requirement.span, 'require')));
    return [{ name, ...body, expectations }];
  }

  private body(parent: CstNode): Body {
    const { expectations, ...body } = this.content(parent);
    for (const { span } of expectations)
      this.context.report(errors.misplacedExpect(this.keyword(span, 'expect')));
    return body;
  }

  private keyword(span: Span, word: string): Span {
    return { ...span, end: span.start + word.length };
  }

  private content(parent: CstNode): Body & Pick<Test, 'expectations'> {
    const span = this.expressions.spanOf(parent, 0);
    const using = node(parent, 'using');
    const body = node(parent, 'body');
    const properties = body === undefined ? [] : nodes(body, 'property');
    const requirements = body === undefined ? [] : nodes(body, 'requirement');
    const expectations = body === undefined ? [] : nodes(body, 'expectation');
    if (body !== undefined) this.separators([...properties, ...requirements, ...expectations], body);
    return {
      using: (using === undefined ? [] : tokens(using, 'Name'))
        .filter((name) => name.isInsertedInRecovery !== true)
        .map((name) => this.expressions.word(name)),
      properties: properties.flatMap((child) => this.property(child)),
      requirements: requirements.map((child) => this.requirement(child)),
      expectations: expectations.map((child) => this.requirement(child)),
      doc: this.context.docs.before(span.start),
      span,
      broken:
        body === undefined || this.context.errorsAt.some((at) => at >= span.start && at <= span.end + 1),
    };
  }

  /** Two settings on one line need a comma between them. */
  private separators(items: readonly CstNode[], body: CstNode): void {
    const marks = [...tokens(body, 'Newline'), ...tokens(body, 'Comma')].map(startOf).sort((a, b) => a - b);
    const extents = items.flatMap((item) => extent(item) ?? []).sort((a, b) => a.start - b.start);
    for (const [i, before] of extents.slice(0, -1).entries()) {
      const after = extents[i + 1];
      if (after === undefined || marks.some((mark) => mark >= before.end && mark < after.start)) continue;
      this.context.report(errors.missingSeparator(this.at(before.end), 'settings on one line'));
    }
  }

  private property(parent: CstNode): readonly Property[] {
    const key = token(parent, 'Name');
    if (key === undefined) return [];
    this.sign(parent);
    return [
      {
        key: this.expressions.word(key),
        value: this.expressions.expression(node(parent, 'expression'), endOf(key)),
      },
    ];
  }

  private requirement(parent: CstNode): Requirement & Expectation {
    const span = this.expressions.spanOf(parent, 0);
    return { condition: this.expressions.expression(node(parent, 'expression'), span.end), span };
  }

  private sign(parent: CstNode): void {
    const sets: IToken | undefined = token(parent, 'Sets');
    if (sets?.image === ':') this.context.report(errors.wrongSetSign(this.expressions.span(sets), '='));
  }

  private at(offset: number): Span {
    return { file: this.context.file, start: offset, end: offset };
  }
}
