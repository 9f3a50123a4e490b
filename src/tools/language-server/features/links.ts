/** Modules and files as links. */
import type { DocumentLink } from 'vscode-languageserver';
import { filesNamed, namesFolder } from '../named-files.js';
import type { Target } from '../names/targets.js';
import { toRange } from '../positions.js';
import type { View } from '../projects.js';
import { type Feature, onView, type Session } from '../session.js';

export const links: Feature = {
  capabilities: { documentLinkProvider: { resolveProvider: false } },
  register: (session) =>
    session.connection.onDocumentLinks(
      onView(session, null, (view) =>
        view.index.occurrences.flatMap(({ span, target }): DocumentLink[] => {
          const [first, ...more] = filesIn(target, view, session);
          if (first === undefined) return [];
          // Without the quotes.
          const inner = { start: span.start + 1, end: Math.max(span.start + 1, span.end - 1) };
          const tooltip = more.length === 0 ? {} : { tooltip: `The first of ${more.length + 1} files` };
          return [{ range: toRange(view.source, inner), target: session.open.uriOf(first), ...tooltip }];
        }),
      ),
    ),
};

function filesIn(target: Target, view: View, session: Session): readonly string[] {
  if (target.kind === 'module') return target.module === undefined ? [] : [target.module.path];
  return target.kind === 'path' && !namesFolder(target) ? filesNamed(target, view, session) : [];
}
