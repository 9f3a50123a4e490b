/** Quick fixes: from the fixes that diagnostics carry, and all that are certain at once. */
import type { CodeAction, Range, TextEdit, WorkspaceEdit } from 'vscode-languageserver';
import { CodeActionKind } from 'vscode-languageserver/node.js';
import type { Fix } from '../../../language/diagnostics/types.js';
import { applyFixes } from '../../../language/lint/index.js';
import { toRange } from '../positions.js';
import { pathOf } from '../projects.js';
import { type Feature, type Session, safely } from '../session.js';
import { type Finding, findingsByFile, rangeOf, shown } from './diagnostics.js';
import { lineEdits } from './formatting.js';

/** What is done to the whole document: every safe fix, or those of some diagnostics. */
const WHOLE: readonly {
  readonly kind: string;
  readonly title: string;
  readonly codes?: readonly string[];
}[] = [
  { kind: `${CodeActionKind.SourceFixAll}.ftpc`, title: 'Apply every safe fix' },
  {
    kind: `${CodeActionKind.SourceOrganizeImports}.ftpc`,
    title: 'Remove what is imported and not used',
    codes: ['FTP0209'],
  },
];

export const codeActions: Feature = {
  capabilities: {
    codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix, ...WHOLE.map(({ kind }) => kind)] },
  },
  register: (session) =>
    session.connection.onCodeAction(
      safely(session, null, ({ textDocument, range, context }) => {
        const path = session.open.pathOf(textDocument.uri);
        const { only } = context;
        const here = (findingsByFile(session).get(path) ?? []).filter((one) => overlaps(rangeOf(one), range));
        const fixes =
          only === undefined || only.some((kind) => covers(kind, CodeActionKind.QuickFix))
            ? here.flatMap((one) => quickFixes(one, session))
            : [];
        // It checks again and again: only where it is asked for.
        const asked = WHOLE.filter(({ kind }) => only?.some((one) => covers(one, kind)));
        return [...fixes, ...asked.flatMap((action) => onlyFixes(path, action, session))];
      }),
    ),
};

const covers = (asked: string, kind: string): boolean => kind === asked || kind.startsWith(`${asked}.`);

function quickFixes(found: Finding, session: Session): CodeAction[] {
  const { fixes = [] } = found.diagnostic;
  return fixes.map((fix, index) => ({
    title: fix.title,
    kind: CodeActionKind.QuickFix,
    diagnostics: [shown(found, session)],
    isPreferred: fix.applicability === 'safe' && index === 0,
    edit: editOf(fix, found, session),
  }));
}

function editOf({ edits }: Fix, { compiled, sources }: Finding, { open }: Session): WorkspaceEdit {
  const changes: Record<string, TextEdit[]> = {};
  for (const { span, text } of edits) {
    const source = sources.get(span.file);
    if (source === undefined) continue;
    const uri = open.uriOf(pathOf(compiled, span.file));
    changes[uri] = [...(changes[uri] ?? []), { range: toRange(source, span), newText: text }];
  }
  return { changes };
}

/** What `ftpc check --fix` does, in this document alone. */
function onlyFixes(
  path: string,
  { kind, title, codes }: (typeof WHOLE)[number],
  { open, projects }: Session,
): CodeAction[] {
  const view = projects.view(path);
  if (view === undefined) return [];
  const { root, params } = view.compiled;
  const { files } = applyFixes(projects.hostAt(root), path, {
    guesses: false,
    params,
    ...(codes === undefined ? {} : { codes }),
  });
  const changed = files.find((file) => file.path === path);
  if (changed === undefined) return [];
  return [{ title, kind, edit: { changes: { [open.uriOf(path)]: lineEdits(view.source, changed.after) } } }];
}

const before = (a: Range['start'], b: Range['start']): boolean =>
  a.line < b.line || (a.line === b.line && a.character <= b.character);

const overlaps = (a: Range, b: Range): boolean => before(a.start, b.end) && before(b.start, a.end);
