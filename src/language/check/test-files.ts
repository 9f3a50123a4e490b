/** What a file of tests may hold, and where tests may be. */
import { isTestFile, misplacedTest, notInTests } from '../diagnostics/catalogue/syntax.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import type { SourceFile } from '../syntax/ast.js';

export function misplaced(tree: SourceFile): readonly Diagnostic[] {
  if (!isTestFile(tree.file)) return tree.tests.map(({ span }) => misplacedTest(word(span, 'test')));
  const refuse = (items: readonly { readonly span: Span }[], keyword: string) =>
    items.map(({ span }) => notInTests(word(span, keyword), `\`${keyword}\``));
  return [
    ...refuse(tree.matrices, 'matrix'),
    ...refuse(tree.secrets, 'secret'),
    ...refuse(tree.presets, 'preset'),
    ...tree.blocks.map(({ kind }) => notInTests(kind.span, `\`${kind.text}\``)),
  ];
}

const word = (span: Span, keyword: string): Span => ({ ...span, end: span.start + keyword.length });
