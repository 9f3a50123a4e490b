/** Modules and files as links. */
import { resolve } from 'node:path';
import type { DocumentLink } from 'vscode-languageserver';
import type { Target } from '../names/targets.js';
import { toRange } from '../positions.js';
import type { View } from '../projects.js';
import { type Feature, type Session, safely, viewOf } from '../session.js';

export const links: Feature = {
  capabilities: { documentLinkProvider: { resolveProvider: false } },
  register: (session) =>
    session.connection.onDocumentLinks(
      safely(session, null, (params) => {
        const view = viewOf(session, params);
        if (view === undefined) return null;
        return view.index.occurrences.flatMap(({ span, target }): DocumentLink[] => {
          const path = pathIn(target, view, session);
          if (path === undefined) return [];
          // Without the quotes.
          const inner = { start: span.start + 1, end: Math.max(span.start + 1, span.end - 1) };
          return [{ range: toRange(view.source, inner), target: session.open.uriOf(path) }];
        });
      }),
    ),
};

function pathIn(target: Target, { analysis, compiled }: View, { projects }: Session): string | undefined {
  if (target.kind === 'module') return target.module?.path;
  if (target.kind !== 'path') return undefined;
  const path = resolve(analysis.context.world.folder, target.path);
  return projects.hostAt(compiled.root).stat(path)?.isFolder === false ? path : undefined;
}
