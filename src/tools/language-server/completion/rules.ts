/** Rules of the linter in `// allow(…)`. */
import { CompletionItemKind } from 'vscode-languageserver/node.js';
import { rules } from '../../../language/lint/rules.js';
import type { IToken } from '../cursor/tokens.js';
import type { Proposals, Request } from './request.js';

export function ruleProposals({ image, startOffset }: IToken, { cursor }: Request): Proposals {
  const before = image.slice(0, cursor.offset - startOffset);
  const typed = /^\/\/\s*allow\s*\((?:[^()]*,)?\s*([\w-]*)$/.exec(before)?.[1];
  if (typed === undefined) return [];
  const rest = /^[\w-]*/.exec(image.slice(before.length))?.[0] ?? '';
  const replace = { start: cursor.offset - typed.length, end: cursor.offset + rest.length };
  return rules.map(({ id, doc, reason }) => ({
    label: id,
    kind: CompletionItemKind.EnumMember,
    detail: doc,
    doc: reason,
    replace,
  }));
}
