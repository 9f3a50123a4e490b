import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { lexer } from '../../../grammar/tokens.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { sourceText } from '../../../src/language/source/text.js';
import type { Expression } from '../../../src/language/syntax/ast.js';
import { parse, parseExpression } from '../../../src/language/syntax/parse.js';

const host = nodeHost();
const corpus = ['valid', 'invalid'].flatMap((kind) => {
  const folder = join(host.packageFolder, 'test/corpus', kind);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ftp'))
    .map((name) => ({ name: `${kind}/${name}`, text: host.readText(join(folder, name)) }));
});

/** An expression with every bracket written, spans left out. */
function show(expression: Expression): string {
  switch (expression.kind) {
    case 'binary':
      return `(${show(expression.left)} ${expression.operator} ${show(expression.right)})`;
    case 'unary':
      return `(${expression.operator} ${show(expression.operand)})`;
    case 'conditional':
      return `(${show(expression.condition)} ? ${show(expression.whenTrue)} : ${show(expression.whenFalse)})`;
    case 'reference':
      return expression.path.map(({ text }) => text).join('.');
    case 'call':
      return `${expression.callee.text}(${expression.args.map(({ name, value }) => `${name === undefined ? '' : `${name.text}: `}${show(value)}`).join(', ')})`;
    case 'list':
      return `[${expression.items.map(show).join(', ')}]`;
    case 'record':
      return `{${expression.entries.map(({ key, value }) => `${key.text}: ${show(value)}`).join(', ')}}`;
    case 'quantity':
      return `${expression.value}${expression.suffix}`;
    case 'bad_quantity':
      return `?${expression.digits}${expression.suffix}`;
    case 'number':
    case 'boolean':
      return `${expression.value}`;
    case 'string':
      return JSON.stringify(expression.value);
    default:
      return expression.kind;
  }
}

const parsed = (text: string): string => {
  const { expression, diagnostics } = parseExpression(sourceText('x', text));
  expect(diagnostics).to.deep.equal([]);
  return show(expression);
};

describe('tokens', () => {
  for (const { name, text } of corpus) {
    it(`and what is between them are the text of ${name}`, () => {
      const { tokens, groups, errors } = lexer.tokenize(text);
      const pieces = [
        ...tokens.map((token) => ({ start: token.startOffset, image: token.image })),
        ...(groups['comments'] ?? []).map((token) => ({ start: token.startOffset, image: token.image })),
        ...errors.map(({ offset, length }) => ({
          start: offset,
          image: text.slice(offset, offset + length),
        })),
      ].sort((a, b) => a.start - b.start);
      let end = 0;
      for (const { start, image } of pieces) {
        expect(text.slice(end, start)).to.match(/^[ \t\f\u00a0\ufeff]*$/);
        expect(text.slice(start, start + image.length)).to.equal(image);
        end = start + image.length;
      }
      expect(text.slice(end)).to.match(/^[ \t]*$/);
    });
  }
});

describe('comments', () => {
  it('are all kept by the tree', () => {
    for (const { name, text } of corpus) {
      const { comments } = parse(sourceText(name, text)).tree;
      const { groups } = lexer.tokenize(text);
      expect(comments.map((comment) => comment.text)).to.deep.equal(
        (groups['comments'] ?? []).map((token) => token.image),
      );
    }
  });

  it('document the declaration below them', () => {
    const text = `/// The file.
edition 2026

/// One line,
/// and another.
param a: Int = 1

/// Stands alone.

// no doc
param b: Int = 2
/// A budget.
budget c { }
`;
    const { tree } = parse(sourceText('x', text));
    expect(tree.doc).to.equal('The file.');
    expect(tree.params.map(({ doc }) => doc)).to.deep.equal(['One line,\nand another.', undefined]);
    expect(tree.blocks.map(({ doc }) => doc)).to.deep.equal(['A budget.']);
  });

  it('document nothing from behind something else', () => {
    const text =
      'edition 2026\nparam a: Int = 1 /// of a\nparam b: Int = 2\n/// of c\n\u00a0param c: Int = 3\n';
    const { tree } = parse(sourceText('x', text));
    expect(tree.params.map(({ doc }) => doc)).to.deep.equal([undefined, undefined, 'of c']);
  });
});

describe('expressions', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['1 + 2 * 3', '(1 + (2 * 3))'],
    ['1 - 2 - 3', '((1 - 2) - 3)'],
    ['-a * b', '((- a) * b)'],
    ['-(-1)', '(- (- 1))'],
    ['not a == b and c', '((not (a == b)) and c)'],
    ['a or b and not c', '(a or (b and (not c)))'],
    ['a < b + 1', '(a < (b + 1))'],
    ['a ? b : c ? d : e', '(a ? b : (c ? d : e))'],
    ['(a ? b : c) + 1', '((a ? b : c) + 1)'],
    ['f(a ? b : c, x: d)', 'f((a ? b : c), x: d)'],
    ['2e-4', '0.0002'],
    ['1e3m', '1000m'],
    ['1.5h', '1.5h'],
    ['5% + 24GiB', '(5% + 24GiB)'],
    ['24gb', '?24gb'],
    ['4096tokens', '?4096tokens'],
    ['2e', '?2e'],
    ['[a, b,\n c,\n]', '[a, b, c]'],
    ['{ train: 90%, "odd key": none, data: true }', '{train: 90%, odd key: none, data: true}'],
    ['dialogs.train.data', 'dialogs.train.data'],
    ['"a\\"b\\n\\u{1F600}\\\\"', JSON.stringify('a"b\n😀\\')],
    ['f(from: 1, using: 2, train: 3)', 'f(from: 1, using: 2, train: 3)'],
  ];
  for (const [text, tree] of cases)
    it(`reads ${JSON.stringify(text)}`, () => expect(parsed(text)).to.equal(tree));
});
