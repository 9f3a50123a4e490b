/** Concrete syntax → syntax tree of a file, declaration by declaration. */
import type { IToken } from '../../../grammar/chevrotain.js';
import type { SyntaxNode } from '../../../grammar/node.js';
import * as errors from '../diagnostics/catalogue/syntax.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import type { SourceText } from '../source/text.js';
import type {
  Block,
  Comment,
  Edition,
  Expectation,
  Import,
  Machine,
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
import { endOf, isNode, node, token, tokens } from './cst.js';
import type { Docs } from './docs.js';
import { ExpressionBuilder } from './expressions.js';

type Body = Pick<Block, 'using' | 'properties' | 'requirements' | 'span' | 'broken' | 'doc'>;

/** What the builder needs to know of the file besides its tree. */
interface TreeContext {
  readonly source: SourceText;
  readonly docs: Docs;
  readonly comments: readonly Comment[];
  /** Does a syntax error lie between two offsets? */
  readonly isBroken: (start: number, end: number) => boolean;
  readonly report: (diagnostic: Diagnostic) => void;
}

export class TreeBuilder {
  private readonly expressions: ExpressionBuilder;
  private readonly imports: Import[] = [];
  private readonly params: Param[] = [];
  private readonly matrices: Matrix[] = [];
  private readonly secrets: Secret[] = [];
  private readonly natives: Native[] = [];
  private readonly presets: Preset[] = [];
  private readonly machines: Machine[] = [];
  private readonly blocks: Block[] = [];
  private readonly tests: Test[] = [];
  private readonly declarations: Readonly<Record<string, (parent: SyntaxNode) => void>> = {
    edition: (parent) => this.editionOf(parent),
    importing: (parent) => this.imports.push(this.importing(parent)),
    param: (parent) => this.params.push(...this.param(parent)),
    matrix: (parent) => this.matrices.push(...this.matrix(parent)),
    secret: (parent) => this.secrets.push(...this.secret(parent)),
    native: (parent) => this.natives.push(...this.native(parent)),
    preset: (parent) => this.presets.push(...this.preset(parent)),
    machine: (parent) => this.machines.push(...this.machine(parent)),
    block: (parent) => this.blocks.push(...this.block(parent)),
    test: (parent) => this.tests.push(this.test(parent)),
  };
  private edition: Edition | undefined;
  /** Nothing is missing that other declarations refer to. */
  private isWhole = true;
  /** Offset of the first declaration. */
  private first: number | undefined;

  constructor(private readonly context: TreeContext) {
    this.expressions = new ExpressionBuilder(context.source, context.report);
  }

  /** Takes what a `program` node holds; the nodes come in the order of the file. */
  add(program: SyntaxNode): void {
    if (program.end >= 0) this.first ??= program.start;
    for (let part = program.first; part !== undefined; part = part.next)
      if (isNode(part)) this.declarations[part.rule]?.(part);
  }

  finish(isSound: boolean): SourceFile {
    const { docs, source, comments, report } = this.context;
    const { file } = source;
    const { imports, params, matrices, secrets, natives, presets, machines, blocks, tests, edition } = this;
    if (edition === undefined && isSound) report(errors.missingEdition(file));
    const doc = docs.before(this.first ?? 0);
    const declared = { imports, params, matrices, secrets, natives, presets, machines, blocks, tests };
    return { file, doc, edition, ...declared, comments, broken: !isSound || !this.isWhole };
  }

  private editionOf(parent: SyntaxNode): void {
    const span = this.expressions.spanOf(parent, 0);
    const year = token(parent, 'NumberLiteral');
    if (span.start !== this.first || this.edition !== undefined)
      this.context.report(errors.misplacedEdition(span));
    else if (year !== undefined && year.image !== '2026')
      this.context.report(errors.unknownEdition(span, Number(year.image)));
    this.edition ??= { year: Number(year?.image ?? 2026), span };
  }

  private importing(parent: SyntaxNode): Import {
    const names = tokens(parent, 'Name');
    const span = this.expressions.spanOf(parent, 0);
    const text = node(parent, 'text');
    const isLost = names.length === 0 && !this.context.isBroken(span.start, span.end + 1);
    if (isLost) this.context.report(errors.emptyImport(span));
    if (isLost) this.isWhole = false;
    const renames = names.findIndex(({ image }, index) => index > 0 && image === 'as');
    const [as, alias] = renames < 0 ? [] : names.slice(renames, renames + 2);
    if (as !== undefined) {
      const whole = { ...this.expressions.span(as), end: endOf(alias ?? as) };
      this.context.report(errors.renamedImport(this.expressions.span(as), whole));
      this.isWhole = false;
    } else this.expressions.commas.names(parent);
    this.expressions.commas.last(parent);
    return {
      names: names.filter((name) => name !== as && name !== alias).map((name) => this.expressions.word(name)),
      from: (text && this.expressions.text(text)) ?? { text: '', span: { ...span, start: span.end } },
      span,
    };
  }

  /** A declaration by its name, with the doc comment before it; none where the name is missing. */
  private declared<T>(parent: SyntaxNode, read: (span: Span, name: IToken) => T) {
    const name = token(parent, 'Name');
    if (name === undefined) return [];
    const span = this.expressions.spanOf(parent, 0);
    const doc = this.context.docs.before(span.start);
    return [{ name: this.expressions.word(name), ...read(span, name), doc, span }];
  }

  private param(parent: SyntaxNode): readonly Param[] {
    return this.declared(parent, (span, name) => {
      const value = node(parent, 'expression');
      const isSet = value !== undefined || token(parent, 'Sets') !== undefined;
      this.expressions.signs([parent], '=');
      return {
        ...this.typed(parent, name),
        value: isSet ? this.expressions.expression(value, span.end) : undefined,
      };
    });
  }

  private typed(parent: SyntaxNode, name: IToken): Pick<Param, 'type' | 'range'> {
    const type = token(parent, 'Name', 1);
    return {
      type: type === undefined ? { text: '', span: this.at(endOf(name)) } : this.expressions.word(type),
      range: this.range(parent),
    };
  }

  private range(parent: SyntaxNode): Range | undefined {
    const found = node(parent, 'range');
    if (found === undefined) return undefined;
    const span = this.expressions.spanOf(found, 0);
    const end = (label: 'min' | 'max') => {
      const written = node(found, label);
      return written === undefined ? undefined : this.expressions.expression(written, span.start);
    };
    return { min: end('min'), max: end('max'), span };
  }

  private matrix(parent: SyntaxNode): readonly Matrix[] {
    return this.declared(parent, (span, name) => {
      this.expressions.signs([parent], '=');
      return {
        ...this.typed(parent, name),
        value: this.expressions.expression(node(parent, 'expression'), span.end),
      };
    });
  }

  private secret(parent: SyntaxNode): readonly Secret[] {
    return this.declared(parent, (span) => {
      this.expressions.signs([parent], '=');
      return { value: this.expressions.expression(node(parent, 'expression'), span.end) };
    });
  }

  private native(parent: SyntaxNode): readonly Native[] {
    const family = token(parent, 'Name', 1);
    if (family === undefined) return [];
    return this.declared(parent, () => ({ family: this.expressions.word(family) }));
  }

  private preset(parent: SyntaxNode): readonly Preset[] {
    const [name, target] = [token(parent, 'Name'), token(parent, 'Word')];
    if (name === undefined || target === undefined) return [];
    return [
      { name: this.expressions.word(name), target: this.expressions.word(target), ...this.body(parent) },
    ];
  }

  private machine(parent: SyntaxNode): readonly Machine[] {
    const name = token(parent, 'Name');
    return name === undefined ? [] : [{ name: this.expressions.word(name), ...this.body(parent) }];
  }

  private block(parent: SyntaxNode): readonly Block[] {
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

  private test(parent: SyntaxNode): Test {
    const text = node(parent, 'text');
    const span = this.expressions.spanOf(parent, 0);
    const name = (text && this.expressions.text(text)) ?? { text: '', span: { ...span, end: span.start } };
    const { using: _, requirements, expectations, ...body } = this.content(parent);
    for (const requirement of requirements)
      this.context.report(errors.requireInTest(this.keyword(requirement.span, 'require')));
    return { name, ...body, expectations };
  }

  private body(parent: SyntaxNode): Body {
    const { expectations, ...body } = this.content(parent);
    for (const { span } of expectations)
      this.context.report(errors.misplacedExpect(this.keyword(span, 'expect')));
    return body;
  }

  private keyword(span: Span, word: string): Span {
    return { ...span, end: span.start + word.length };
  }

  private content(parent: SyntaxNode): Body & Pick<Test, 'expectations'> {
    const span = this.expressions.spanOf(parent, 0);
    const using = node(parent, 'using');
    const body = node(parent, 'body');
    const properties: Property[] = [];
    const requirements: Requirement[] = [];
    const expectations: Expectation[] = [];
    const settings: SyntaxNode[] = [];
    if (body !== undefined) this.expressions.commas.settings(body);
    for (let part = body?.first; part !== undefined; part = part.next) {
      if (!isNode(part)) continue;
      if (part.rule === 'property') {
        settings.push(part);
        properties.push(...this.property(part));
      } else if (part.rule === 'requirement') requirements.push(this.requirement(part));
      else expectations.push(this.requirement(part));
    }
    this.expressions.signs(settings, '=');
    return {
      using: (using === undefined ? [] : tokens(using, 'Name')).map((name) => this.expressions.word(name)),
      properties,
      requirements,
      expectations,
      doc: this.context.docs.before(span.start),
      span,
      broken: body === undefined || this.context.isBroken(span.start, span.end + 1),
    };
  }

  private property(parent: SyntaxNode): readonly Property[] {
    const key = token(parent, 'Name');
    if (key === undefined) return [];
    const value = this.expressions.expression(node(parent, 'expression'), endOf(key));
    return [{ key: this.expressions.word(key), value }];
  }

  private requirement(parent: SyntaxNode): Requirement & Expectation {
    const span = this.expressions.spanOf(parent, 0);
    return { condition: this.expressions.expression(node(parent, 'expression'), span.end), span };
  }

  private at(offset: number): Span {
    return { file: this.context.source.file, start: offset, end: offset };
  }
}
