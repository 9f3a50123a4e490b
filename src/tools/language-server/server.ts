/** The language server: features over one compilation per text, on a connection that the command line opens. */
import type {
  ClientCapabilities,
  Connection,
  InitializeParams,
  ServerCapabilities,
} from 'vscode-languageserver';
import {
  DidChangeWatchedFilesNotification,
  TextDocumentSyncKind,
  TextDocuments,
} from 'vscode-languageserver/node.js';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Host } from '../../language/host/host.js';
import { DiagnosticsPublisher } from './features/diagnostics.js';
import { features } from './features/index.js';
import { OpenFiles } from './open-files.js';
import { type Planner, Plans } from './plans.js';
import { Projects } from './projects.js';
import { type Session, safely } from './session.js';
import { openSettings } from './settings.js';

interface ServerOptions {
  readonly connection: Connection;
  readonly host: Host;
  /** Default: nothing is planned, and there are no hints. */
  readonly planner?: Planner;
  readonly version: string;
}

/** Listens until the editor says goodbye. */
export function serve({ connection, host, planner, version }: ServerOptions): void {
  let client: ClientCapabilities = {};
  let roots: readonly string[] = [];
  const complain = (error: unknown): void =>
    connection.console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const open = new OpenFiles(host.cwd);
  const settings = openSettings();
  const projects = new Projects(host, open, settings.params);
  const plans = new Plans(projects, planner, settings, { ready: () => planned(), failed: complain });
  const session: Session = { connection, open, projects, plans, settings, complain, client: () => client };
  const publisher = new DiagnosticsPublisher(session);
  const publish = soon(
    safely(session, undefined, (): undefined => {
      publisher.publish();
      plans.ask(projects.opened());
    }),
    host,
  );

  const planned = (): void => {
    publish();
    if (client.workspace?.inlayHint?.refreshSupport === true) void connection.languages.inlayHint.refresh();
  };

  connection.onInitialize((params) => {
    client = params.capabilities;
    settings.update(params.initializationOptions);
    roots = rootsOf(params);
    open.setRoots(roots);
    return { capabilities: capabilities(), serverInfo: { name: 'ftpc', version } };
  });
  connection.onInitialized(() => {
    void watchFiles(session).catch(complain);
    if (client.workspace?.workspaceFolders === true) followFolders();
  });
  connection.onShutdown(() => plans.close());
  const followFolders = (): void => {
    connection.workspace.onDidChangeWorkspaceFolders(
      safely(session, undefined, ({ added, removed }): undefined => {
        const gone = new Set(removed.map(({ uri }) => uri));
        roots = [...roots.filter((uri) => !gone.has(uri)), ...added.map(({ uri }) => uri)];
        open.setRoots(roots);
        projects.changedAll();
        publish();
      }),
    );
  };
  followDocuments(session, {
    changed: publish,
    closed: (path, uri) => {
      plans.forget(path);
      publisher.closed(path, uri);
      publish();
    },
    allChanged: publish,
  });
  for (const feature of features) feature.register(session);
  connection.listen();
}

function rootsOf({ workspaceFolders, rootUri }: InitializeParams): readonly string[] {
  if (workspaceFolders != null && workspaceFolders.length > 0) return workspaceFolders.map(({ uri }) => uri);
  return rootUri == null ? [] : [rootUri];
}

const capabilities = (): ServerCapabilities =>
  Object.assign(
    {
      positionEncoding: 'utf-16',
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
      workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
    },
    ...features.map((feature) => feature.capabilities),
  ) as ServerCapabilities;

/** Milliseconds of work after which more changes are waited for, and the longest wait. */
const QUICK = 25;
const LONGEST = 200;

/** Runs once what has arrived is dealt with: of many changes in a row, the last counts. */
function soon(work: () => void, { now }: Host): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let took = 0;
  return () => {
    if (timer !== undefined) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        const start = now();
        work();
        took = now() - start;
      },
      took < QUICK ? 0 : Math.min(took, LONGEST),
    );
  };
}

/** Files that a pipeline may read: itself, prompts, schemas, rows, models. */
const WATCHED = '**/*.{ftp,md,txt,json,jsonl,csv,tsv,parquet,gz,zst,jinja,gguf}';

interface DocumentEvents {
  /** A document was opened or has changed. */
  readonly changed: (path: string) => void;
  readonly closed: (path: string, uri: string) => void;
  /** Anything may have changed. */
  readonly allChanged: () => void;
}

function followDocuments(session: Session, events: DocumentEvents): void {
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
async function watchFiles({ connection, client }: Session): Promise<void> {
  if (client().workspace?.didChangeWatchedFiles?.dynamicRegistration !== true) return;
  await connection.client.register(DidChangeWatchedFilesNotification.type, {
    watchers: [{ globPattern: WATCHED }],
  });
}
