/** Names inside of `import { … } from "…"`. */
import { CompletionItemKind } from 'vscode-languageserver/node.js';
import { functionNamed } from '../../../language/schemas/setting-paths.js';
import { isString } from '../cursor/tokens.js';
import { functionText } from '../describe.js';
import { libraryModules } from '../library.js';
import { exportsOf } from '../names/declarations.js';
import type { Proposal, Proposals, Request } from './request.js';

export function importedProposals(request: Request): Proposals {
  const { cursor, view, frame, session } = request;
  if (!('open' in frame)) return [];
  const { tokens } = cursor.tokens;
  const start = tokens.indexOf(frame.open);
  const close = tokens.findIndex((token, index) => index > start && token.image === '}');
  const taken = new Set(
    tokens
      .slice(start + 1, close < 0 ? start + 1 : close)
      .filter((token) => token !== cursor.partial)
      .map(({ image }) => image),
  );
  const from = close < 0 ? undefined : tokens[close + 2];
  const path = from !== undefined && isString(from) ? from.image.slice(1, -1) : undefined;
  const statement = view.module.imports.find(({ statement }) => statement.from.text === path);
  const found =
    statement?.module !== undefined
      ? exportsOf(statement.module).map((declared) =>
          named(declared.name.text, declared.node.doc, path ?? ''),
        )
      : path === undefined
        ? libraryModules(session).flatMap(({ name, tree }) =>
            [...tree.natives, ...tree.presets].map((node) => named(node.name.text, node.doc, name)),
          )
        : [];
  return found.filter(({ label }) => !taken.has(label));
}

function named(label: string, doc: string | undefined, module: string): Proposal {
  const schema = functionNamed(label);
  return {
    label,
    kind: schema === undefined ? CompletionItemKind.Interface : CompletionItemKind.Function,
    detail: module,
    doc: schema === undefined ? doc : functionText(label, schema),
  };
}
