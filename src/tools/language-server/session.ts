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

/** One feature per file: what it tells the editor that it can, and its handlers. */
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
function viewOf({ open, projects }: Session, { textDocument }: DocumentParams): View | undefined {
  const path = open.pathOf(textDocument.uri);
  if (open.get(path) === undefined && !isPipelineFile(path)) return undefined;
  return projects.view(path);
}

/** Answers requests about a document of ours; `nothing` is what others get. */
export const onView = <P extends DocumentParams, R>(
  session: Session,
  nothing: R,
  answer: (view: View, params: P) => R | undefined,
): ((params: P) => R) =>
  safely(session, nothing, (params: P) => {
    const view = viewOf(session, params);
    return view && answer(view, params);
  });

/** Answers requests about a place in a document of ours. */
export const onSpot = <P extends PositionParams, R>(
  session: Session,
  nothing: R,
  answer: (spot: Spot, params: P) => R | undefined,
): ((params: P) => R) =>
  safely(session, nothing, (params: P) => {
    const spot = spotOf(session, params);
    return spot && answer(spot, params);
  });

type PositionParams = DocumentParams & { readonly position: Position };

export interface Spot {
  readonly view: View;
  readonly offset: number;
  readonly occurrence: Occurrence | undefined;
}

function spotOf(session: Session, params: PositionParams): Spot | undefined {
  const view = viewOf(session, params);
  if (view === undefined) return undefined;
  const offset = toOffset(view.source, params.position);
  return { view, offset, occurrence: occurrenceAt(view.index, offset) };
}
