/** Inside of `test "…" { … }`. */
import { CompletionItemKind } from 'vscode-languageserver/node.js';
import type { Proposals, Request } from './request.js';

export function expectationProposals({ frame }: Request): Proposals {
  if (frame.statement.length > 0) return [];
  return [
    {
      label: 'with',
      kind: CompletionItemKind.Property,
      insert: 'with = { $1 }',
      detail: 'parameters of the pipeline',
    },
    {
      label: 'machine',
      kind: CompletionItemKind.Property,
      insert: 'machine = "$1"',
      detail: 'a machine of the catalogue',
    },
    { label: 'expect', kind: CompletionItemKind.Keyword, insert: 'expect $1', detail: 'a condition' },
  ];
}
