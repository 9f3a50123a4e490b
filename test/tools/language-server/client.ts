/** A real client: the server as a process, spoken to over its standard input and output. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type {
  ClientCapabilities,
  CompletionItem,
  InitializeResult,
  Position,
  PublishDiagnosticsParams,
  Range,
  TextEdit,
  WorkspaceFolder,
} from 'vscode-languageserver-protocol';
import {
  createProtocolConnection,
  type ProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver-protocol/node';

const MAIN = fileURLToPath(new URL('../../../bin/main.js', import.meta.url));

/** Longer than anything takes, even on a machine with other work. */
const PATIENCE = 600_000;

export const CAPABILITIES: ClientCapabilities = {
  workspace: {
    workspaceFolders: true,
    workspaceEdit: { documentChanges: true },
    inlayHint: { refreshSupport: true },
    didChangeWatchedFiles: { dynamicRegistration: true },
  },
  textDocument: {
    completion: { completionItem: { snippetSupport: true } },
    publishDiagnostics: { relatedInformation: true, tagSupport: { valueSet: [1, 2] } },
  },
};

export interface ClientOptions {
  /** Folders of the workspace; none: files on their own. */
  readonly folders?: readonly string[];
  readonly options?: unknown;
  readonly capabilities?: ClientCapabilities;
}

export class Client {
  readonly published: PublishDiagnosticsParams[] = [];
  /** What the server complained of: a test that leaves something here has found a bug. */
  readonly complaints: string[] = [];
  readonly registered: string[] = [];
  refreshes = 0;
  initialized!: InitializeResult;
  private readonly versions = new Map<string, number>();
  private readonly waiting = new Set<() => void>();

  private constructor(
    readonly process: ChildProcess,
    readonly connection: ProtocolConnection,
    readonly folders: WorkspaceFolder[],
  ) {}

  static async start(given: ClientOptions = {}): Promise<Client> {
    const child = spawn(process.execPath, [MAIN, 'language-server', '--stdio'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: tmpdir(),
    });
    const connection = createProtocolConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    const folders = (given.folders ?? []).map((folder) => ({
      uri: pathToFileURL(folder).href,
      name: folder,
    }));
    const client = new Client(child, connection, folders);
    client.listen();
    client.initialized = await connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: folders[0]?.uri ?? null,
      workspaceFolders: folders.length === 0 ? null : folders,
      capabilities: given.capabilities ?? CAPABILITIES,
      initializationOptions: given.options ?? { plan: false },
    });
    await connection.sendNotification('initialized', {});
    return client;
  }

  private listen(): void {
    const { connection } = this;
    this.process.stderr?.on('data', (data) => this.complaints.push(String(data)));
    connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => {
      this.published.push(params);
      for (const look of this.waiting) look();
    });
    connection.onNotification('window/logMessage', ({ type, message }: { type: number; message: string }) => {
      if (type === 1) this.complaints.push(message);
    });
    connection.onRequest('client/registerCapability', (params: { registrations: { method: string }[] }) => {
      this.registered.push(...params.registrations.map(({ method }) => method));
      for (const look of this.waiting) look();
      return null;
    });
    connection.onRequest('workspace/inlayHint/refresh', () => {
      this.refreshes++;
      for (const look of this.waiting) look();
      return null;
    });
    connection.onRequest('workspace/workspaceFolders', () => this.folders);
    connection.listen();
  }

  /** Opens a document; `<|>` in its text is the cursor. */
  async open(uri: string, marked: string): Promise<Opened> {
    const { text, position } = cursor(marked);
    this.versions.set(uri, 1);
    await this.connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId: 'ftp', version: 1, text },
    });
    return { uri, text, position, textDocument: { uri } };
  }

  async change(
    uri: string,
    ...changes: { readonly range?: Range; readonly text: string }[]
  ): Promise<number> {
    const version = (this.versions.get(uri) ?? 1) + 1;
    this.versions.set(uri, version);
    await this.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version },
      contentChanges: changes,
    });
    return version;
  }

  close(uri: string): Promise<void> {
    return this.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
  }

  // biome-ignore lint/suspicious/noExplicitAny: the answer of a request by its name
  request(method: string, params: unknown): Promise<any> {
    return this.connection.sendRequest(method, params);
  }

  /** The last diagnostics of a document, from this version on. */
  diagnostics(uri: string, version = 1): Promise<PublishDiagnosticsParams> {
    return this.until(
      () => this.published.findLast((one) => one.uri === uri && (one.version ?? version) >= version),
      `diagnostics of ${uri}`,
    );
  }

  until<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE);
      const attempt = (): void => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(late);
        this.waiting.delete(attempt);
        resolve(found);
      };
      this.waiting.add(attempt);
      attempt();
    });
  }

  /** The exit code, after the editor's goodbye. */
  async stop(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.process.on('exit', resolve));
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    return ended;
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }
}

export interface Opened {
  readonly uri: string;
  readonly text: string;
  readonly position: Position;
  readonly textDocument: { readonly uri: string };
}

export const MARK = '<|>';

export function cursor(marked: string): { readonly text: string; readonly position: Position } {
  const at = marked.indexOf(MARK);
  const text = marked.replace(MARK, '');
  return { text, position: positionOf(text, Math.max(0, at)) };
}

/** A second reading of the protocol's rule, next to the server's own. */
export function positionOf(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
}

export function offsetOf(text: string, { line, character }: Position): number {
  const ends = [...text.matchAll(/\r\n|\n|\r/g)].map((match) => match.index + match[0].length);
  return (line === 0 ? 0 : (ends[line - 1] ?? text.length)) + character;
}

/** A text with the edits of one answer in it. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  return [...edits]
    .map(({ range, newText }) => ({
      start: offsetOf(text, range.start),
      end: offsetOf(text, range.end),
      newText,
    }))
    .sort((a, b) => b.start - a.start)
    .reduce((all, { start, end, newText }) => all.slice(0, start) + newText + all.slice(end), text);
}

/** The text after an item was taken, stops of snippets as `$1`. */
export function accepted(text: string, item: CompletionItem): string {
  const edit = item.textEdit as TextEdit;
  return edited(text, [edit, ...(item.additionalTextEdits ?? [])]);
}

export const textAt = (text: string, { start, end }: Range): string =>
  text.slice(offsetOf(text, start), offsetOf(text, end));

/** A folder with these files; `remove` takes it away. */
export function folderWith(files: Readonly<Record<string, string>>): {
  readonly path: string;
  readonly uri: (name: string) => string;
  readonly write: (name: string, text: string) => void;
  readonly has: (name: string) => boolean;
  readonly remove: () => void;
} {
  const path = mkdtempSync(join(tmpdir(), 'ftpc-lsp-'));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return {
    path,
    write,
    has: (name) => existsSync(join(path, name)),
    uri: (name) => pathToFileURL(join(path, name)).href,
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
