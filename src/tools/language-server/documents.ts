/** Follows what the editor tells of its documents and of the disk. */
import { DidChangeWatchedFilesNotification, TextDocuments } from 'vscode-languageserver/node.js';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { type Session, safely } from './session.js';

/** Files that a pipeline may read: itself, prompts, schemas, rows, models. */
const WATCHED = '**/*.{ftp,md,txt,json,jsonl,csv,tsv,parquet,gz,jinja,gguf}';

interface DocumentEvents {
  /** A document was opened or has changed. */
  readonly changed: (path: string) => void;
  readonly closed: (path: string, uri: string) => void;
  /** Anything may have changed. */
  readonly allChanged: () => void;
}

export function followDocuments(session: Session, events: DocumentEvents): void {
  const { connection, open, projects } = session;
  const documents = new TextDocuments(TextDocument);
  documents.onDidChangeContent(
    safely(session, undefined, ({ document }) => {
      // An editor may send anything.
      if (typeof document.uri !== 'string') return undefined;
      const { path } = open.set(document);
      projects.changed(path);
      events.changed(path);
      return undefined;
    }),
  );
  documents.onDidClose(
    safely(session, undefined, ({ document }) => {
      const path = open.pathOf(document.uri);
      open.delete(document.uri);
      projects.changed(path);
      events.closed(path, document.uri);
      return undefined;
    }),
  );
  documents.onDidSave(safely(session, undefined, () => everything()));
  connection.onDidChangeWatchedFiles(safely(session, undefined, () => everything()));
  connection.onDidChangeConfiguration(
    safely(session, undefined, ({ settings }) => {
      session.settings.update(settings);
      return everything();
    }),
  );
  documents.listen(connection);

  function everything(): undefined {
    projects.changedAll();
    events.allChanged();
  }
}

/** Asks the editor to tell of files that change on the disk, where it can. */
export async function watchFiles({ connection, client }: Session): Promise<void> {
  if (client().workspace?.didChangeWatchedFiles?.dynamicRegistration !== true) return;
  await connection.client.register(DidChangeWatchedFilesNotification.type, {
    watchers: [{ globPattern: WATCHED }],
  });
}
