/** How declarations and blocks are laid out. */
import { Comma } from '../../../grammar/tokens.js';
import type {
  Block,
  Expectation,
  Expression,
  Import,
  Machine,
  Matrix,
  Param,
  Preset,
  Property,
  Requirement,
  Secret,
  SourceFile,
  Test,
  Word,
} from '../syntax/ast.js';
import { Cursor, endingLine } from './cursor.js';
import { BREAK, choice, type Doc, group, indent, render, SPACE_OR_BREAK } from './doc.js';
import { ExpressionLayout } from './expressions.js';

interface Part {
  readonly at: number;
  readonly print: () => Doc;
  /** It has a body: over several lines, it is between empty lines. */
  readonly hasBody?: boolean;
}

type Statement = Property | Requirement | Expectation;

const startOf = (statement: Statement): number =>
  'key' in statement ? statement.key.span.start : statement.span.start;

const inOrder = (a: Part, b: Part): number => a.at - b.at;

export class FileLayout {
  private readonly cursor: Cursor;
  private readonly expressions: ExpressionLayout;

  constructor(
    private readonly tree: SourceFile,
    text: string,
  ) {
    this.cursor = new Cursor(text);
    this.expressions = new ExpressionLayout(this.cursor);
  }

  /** The whole text, with a line end after its last line. */
  text(): string {
    const { cursor } = this;
    let text = '';
    let afterBlock = false;
    let blankAfter = false;
    for (const { print, hasBody } of this.parts()) {
      const { first, any } = cursor.blankLinesBefore;
      const lines = cursor.linesBefore({ first: true });
      const declaration = render(print(), 0);
      const isBlock = hasBody === true && declaration.includes('\n');
      if (text !== '' && (first || blankAfter || (!any && (isBlock || afterBlock)))) text += '\n';
      const trailing = render(cursor.commentsAfter(), 0);
      text += `${render(lines, 0)}${declaration}${trailing}\n`;
      // a `///` that found no room on its line must not document what comes next
      blankAfter = trailing.includes('\n');
      afterBlock = isBlock;
    }
    const end = render(cursor.linesBeforeEnd({ first: text === '' }), 0);
    return end === '' ? text : `${text}${end.slice(1)}\n`;
  }

  private parts(): readonly Part[] {
    const { edition, imports, params, matrices, secrets, natives, presets, machines, blocks, tests } =
      this.tree;
    const parts: Part[] = [
      ...(edition === undefined
        ? []
        : [{ at: edition.span.start, print: () => this.words(edition.span.end) }]),
      ...imports.map((found) => ({ at: found.span.start, print: () => this.importing(found) })),
      ...[...params, ...matrices].map((found) => ({ at: found.span.start, print: () => this.param(found) })),
      ...secrets.map((found) => ({ at: found.span.start, print: () => this.secret(found) })),
      ...natives.map((found) => ({ at: found.span.start, print: () => this.words(found.span.end) })),
      ...[...presets, ...machines, ...blocks, ...tests].map((found) => ({
        at: found.span.start,
        print: () => this.block(found),
        hasBody: true,
      })),
    ];
    return parts.sort(inOrder);
  }

  private importing({ names }: Import): Doc {
    const { cursor } = this;
    const keyword = cursor.take();
    const list = this.expressions.brackets(
      names.map(() => () => cursor.take()),
      { edge: SPACE_OR_BREAK },
    );
    return [keyword, ' ', list, ' ', cursor.take(), ' ', cursor.take()];
  }

  private param({ range, value }: Param | Matrix): Doc {
    const { cursor } = this;
    const head = [cursor.take(), ' ', cursor.take(), cursor.take(), ' ', cursor.take()];
    const limits = range === undefined ? '' : this.expressions.range(range);
    return [head, limits, value === undefined ? '' : this.value(value)];
  }

  private secret({ value }: Secret): Doc {
    return [this.cursor.take(), ' ', this.cursor.take(), this.value(value)];
  }

  /** ` = ` and what follows it. */
  private value(value: Expression): Doc {
    return [' ', this.cursor.take(), ' ', this.expressions.expression(value)];
  }

  /** The tokens before `end`, a space between them. */
  private words(end: number): string {
    const { cursor } = this;
    let text = cursor.take();
    while (cursor.next.start < end) text += `${cursor.next.type === Comma ? '' : ' '}${cursor.take()}`;
    return text;
  }

  /** One line where it was written on one and fits; else a line for each statement. */
  private block(block: Block | Preset | Machine | Test): Doc {
    const { cursor } = this;
    const head = this.words(headEnd(block));
    const statements = statementsOf(block);
    const { hasComment, isOnOneLine } = cursor.brackets();
    const broken = hasComment || (statements.length > 0 && !isOnOneLine());
    const open = cursor.take();
    const trailing = cursor.commentsAfter();
    const inside = statements.map((statement, i) => {
      cursor.skip(Comma);
      const before = [SPACE_OR_BREAK, cursor.linesBefore({ first: i === 0 })];
      const separator = (): Doc => {
        cursor.skip(Comma);
        return i < statements.length - 1 ? choice('', ',') : '';
      };
      return [before, endingLine(cursor, () => this.statement(statement), separator)];
    });
    cursor.skip(Comma);
    const end = [cursor.commentsAfter(), cursor.linesBeforeEnd({ first: statements.length === 0 })];
    const edge = statements.length === 0 ? BREAK : SPACE_OR_BREAK;
    return group([head, ' ', open, indent([trailing, inside, end]), edge, cursor.take()], broken);
  }

  private statement(statement: Statement): Doc {
    const word = this.cursor.take();
    if ('key' in statement) return [word, this.value(statement.value)];
    return [word, ' ', this.expressions.expression(statement.condition)];
  }
}

const statementsOf = (block: Block | Preset | Machine | Test): readonly Statement[] => {
  const conditions = 'expectations' in block ? block.expectations : block.requirements;
  return [...block.properties, ...conditions].sort((a, b) => startOf(a) - startOf(b));
};

/** Where the head of a block ends: the words before its brace. */
function headEnd(block: Block | Preset | Machine | Test): number {
  if (!('using' in block)) return block.name.span.end;
  const last: Word | undefined = block.using.at(-1) ?? ('target' in block ? block.target : block.name);
  return last.span.end;
}
