/** Renames what a pipeline declares, in every file that names it. */
import type { Range, TextEdit, WorkspaceEdit } from 'vscode-languageserver';
import { ErrorCodes, ResponseError } from 'vscode-languageserver/node.js';
import { tokenMatcher } from '../../../../grammar/chevrotain.js';
import { lexer, Name } from '../../../../grammar/tokens.js';
import { isString, tokensOf } from '../cursor/tokens.js';
import { type Declaration, namesIn } from '../names/targets.js';
import { toRange } from '../positions.js';
import { type NamePlace, placesOf } from '../references.js';
import { type Feature, onSpot, type Session, type Spot } from '../session.js';

export const rename: Feature = {
  capabilities: { renameProvider: { prepareProvider: true } },
  register: (session) => {
    const { connection } = session;
    connection.onPrepareRename(
      onSpot(session, null, (spot): { range: Range; placeholder: string } | null => {
        const declared = renamed(spot, session);
        if (spot.occurrence === undefined || declared === undefined) return null;
        return { range: toRange(spot.view.source, spot.occurrence.span), placeholder: declared.name.text };
      }),
    );
    connection.onRenameRequest(
      onSpot(session, null, (spot, params): WorkspaceEdit | ResponseError<void> | null => {
        const declared = renamed(spot, session);
        if (declared === undefined) return null;
        const { newName } = params;
        if (newName === declared.name.text) return {};
        if (!isName(newName)) return refuse(`\`${newName}\` is not a name that the language allows`);
        const places = placesOf(session, { kind: 'declared', declared });
        const taken = collision(newName, places, session);
        return taken === undefined ? editOf(places, newName, session) : refuse(taken);
      }),
    );
  },
};

/** What is declared in a file of the user's: names of the library and of the language stay as they are. */
function renamed({ occurrence, view, offset }: Spot, { projects }: Session): Declaration | undefined {
  const target = occurrence?.target;
  if (target?.kind !== 'declared' || projects.isLibrary(target.declared.module.path)) return undefined;
  const inString = tokensOf(view.source).tokens.some(
    (token) =>
      isString(token) && token.startOffset < offset && offset < token.startOffset + token.image.length,
  );
  return inString ? undefined : target.declared;
}

const refuse = (message: string): ResponseError<void> => new ResponseError(ErrorCodes.InvalidParams, message);

/** A file that names the thing and something else by the new name. */
function collision(name: string, places: readonly NamePlace[], { projects, open }: Session) {
  for (const path of new Set(places.map((place) => place.path))) {
    const view = projects.view(path);
    if (view !== undefined && namesIn(view.module).has(name))
      return `\`${name}\` is already a name in ${open.uriOf(path).split('/').at(-1)}`;
  }
  return undefined;
}

function editOf(places: readonly NamePlace[], newText: string, { open, client }: Session): WorkspaceEdit {
  const byUri = new Map<string, { readonly version: number | null; readonly edits: TextEdit[] }>();
  for (const { path, source, span } of places) {
    const uri = open.uriOf(path);
    const entry = byUri.get(uri) ?? { version: open.get(path)?.version ?? null, edits: [] };
    entry.edits.push({ range: toRange(source, span), newText });
    byUri.set(uri, entry);
  }
  if (client().workspace?.workspaceEdit?.documentChanges !== true)
    return { changes: Object.fromEntries([...byUri].map(([uri, { edits }]) => [uri, edits])) };
  return {
    documentChanges: [...byUri].map(([uri, { version, edits }]) => ({
      textDocument: { uri, version },
      edits,
    })),
  };
}

/** May a stage, a parameter or a preset be called so? */
function isName(text: string): boolean {
  const { tokens, errors } = lexer.tokenize(text);
  const [token] = tokens;
  return (
    errors.length === 0 &&
    tokens.length === 1 &&
    token !== undefined &&
    token.image === text &&
    tokenMatcher(token, Name)
  );
}
