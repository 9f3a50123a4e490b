/** Where something is to be completed, and the making of items for that place. */
import type { CompletionItem, TextEdit } from 'vscode-languageserver';
import { CompletionItemKind, InsertTextFormat, MarkupKind } from 'vscode-languageserver/node.js';
import type { Cursor, Frame } from '../cursor/frames.js';
import { endOf, isNumber, isWord } from '../cursor/tokens.js';
import { toRange } from '../positions.js';
import type { View } from '../projects.js';
import type { Session } from '../session.js';

export interface Request {
  readonly session: Session;
  readonly view: View;
  readonly cursor: Cursor;
  /** The innermost frame. */
  readonly frame: Frame;
  /** The editor can take `${1:…}`. */
  readonly snippets: boolean;
}

export interface Proposal {
  readonly label: string;
  readonly kind: keyof typeof CompletionItemKind;
  readonly detail?: string;
  readonly doc?: string;
  /** With `$1` for what is still to be typed; default: the label. */
  readonly insert?: string;
  readonly also?: readonly TextEdit[];
  /** Earlier letters are first. */
  readonly sort?: string;
  /** What the typed word is compared with; default: the label. */
  readonly filter?: string;
  /** What is replaced; default: the word at the cursor. */
  readonly replace?: { readonly start: number; readonly end: number };
}

export type Proposals = readonly Proposal[];

export const propose = (
  kind: Proposal['kind'],
  label: string,
  more: Omit<Proposal, 'kind' | 'label'> = {},
): Proposal => ({ label, kind, ...more });

export function toItem(proposal: Proposal, request: Request): CompletionItem {
  const { label, kind, detail, doc, insert = label, also, sort, filter } = proposal;
  const { snippets, view } = request;
  const isSnippet = snippets && /\$[{\d]/.test(insert);
  const newText = isSnippet ? insert : plain(insert);
  return {
    label,
    kind: CompletionItemKind[kind],
    // Editors show it as it is, without Markdown.
    ...(detail === undefined ? {} : { detail: detail.replaceAll('`', '') }),
    ...(doc === undefined ? {} : { documentation: { kind: MarkupKind.Markdown, value: doc } }),
    ...(sort === undefined ? {} : { sortText: `${sort}${label}` }),
    ...(filter === undefined ? {} : { filterText: filter }),
    ...(also === undefined ? {} : { additionalTextEdits: [...also] }),
    insertTextFormat: isSnippet ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
    textEdit: { range: toRange(view.source, proposal.replace ?? wordAt(request)), newText },
  };
}

/** `${1:name}` → `name`, for editors without snippets. */
const plain = (text: string): string =>
  text.replace(/\$\{\d+:([^}]*)\}|\$\d+/g, '$1').replace(/\\([$}\\])/g, '$1');

/** A text inside a snippet. */
export const escaped = (text: string): string => text.replace(/[$}\\]/g, '\\$&');

/** The word that is being typed, to its end. */
function wordAt({ cursor: { partial, offset } }: Request): { readonly start: number; readonly end: number } {
  return partial !== undefined && (isWord(partial) || isNumber(partial))
    ? { start: partial.startOffset, end: endOf(partial) }
    : { start: offset, end: offset };
}
