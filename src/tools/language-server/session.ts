/** What every feature of the server works with. */
import type {
  ClientCapabilities,
  Connection,
  Position,
  ServerCapabilities,
  TextDocumentIdentifier,
} from 'vscode-languageserver';
import { type Occurrence, occurrenceAt } from './names/file-index.js';
import { isPipelineFile, type OpenFiles } from './open-files.js';
import type { Plans } from './plans.js';
import { toOffset } from './positions.js';
import type { Projects, View } from './projects.js';
import type { Settings } from './settings.js';

export interface Session {
  readonly connection: Connection;
  readonly open: OpenFiles;
  readonly projects: Projects;
  readonly plans: Plans;
  readonly settings: Settings;
  readonly client: () => ClientCapabilities;
  /** Tells of mistakes of ours; the editor shows them in its log. */
  readonly complain: (error: unknown) => void;
}

/** One feature, a file: what it tells the editor that it can, and its handlers. */
export interface Feature {
  readonly capabilities: ServerCapabilities;
  readonly register: (session: Session) => void;
}

/** A handler that answers nothing if it fails: a bug of ours must not take the editor's session down. */
export function safely<A extends readonly unknown[], R>(
  { complain }: Session,
  nothing: R,
  handler: (...args: A) => R | undefined,
): (...args: A) => R {
  return (...args) => {
    try {
      return handler(...args) ?? nothing;
    } catch (error) {
      complain(error);
      return nothing;
    }
  };
}

interface DocumentParams {
  readonly textDocument: TextDocumentIdentifier;
}

/** The document of a request, as its own pipeline; `undefined` if it is not one of ours. */
export function viewOf({ open, projects }: Session, { textDocument }: DocumentParams): View | undefined {
  const path = open.pathOf(textDocument.uri);
  if (open.get(path) === undefined && !isPipelineFile(path)) return undefined;
  return projects.view(path);
}

export interface Spot {
  readonly view: View;
  readonly offset: number;
  readonly occurrence: Occurrence | undefined;
}

export function spotOf(
  session: Session,
  params: DocumentParams & { readonly position: Position },
): Spot | undefined {
  const view = viewOf(session, params);
  if (view === undefined) return undefined;
  const offset = toOffset(view.source, params.position);
  return { view, offset, occurrence: occurrenceAt(view.index, offset) };
}
