/**
 * A stand-in for VS Code, which runs the bundled extension: as much of the module `vscode` as the language client
 * needs to start a server, to send it documents and to show what it answers. What is not here is something that can
 * be called, built and extended, and does nothing.
 */
import childProcess from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import vm from 'node:vm';

export interface EditorOptions {
  /** Of the extension, in the settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The folder that is open. */
  readonly folder?: string;
  readonly isTrusted?: boolean;
  /** What is open: path → text. */
  readonly documents?: Readonly<Record<string, string>>;
  /** Programs are started; else they are noted, and not found. */
  readonly starts?: boolean;
}

class Uri {
  constructor(readonly href: string) {}
  static parse = (href: string): Uri => new Uri(href);
  static file = (path: string): Uri => new Uri(pathToFileURL(path).href);
  get scheme(): string {
    return new URL(this.href).protocol.slice(0, -1);
  }
  get fsPath(): string {
    return fileURLToPath(this.href);
  }
  toString(): string {
    return this.href;
  }
}

class Position {
  constructor(
    readonly line: number,
    readonly character: number,
  ) {}
}

class Range {
  readonly start: Position;
  readonly end: Position;
  constructor(line: number, character: number, endLine: number, endCharacter: number) {
    this.start = new Position(line, character);
    this.end = new Position(endLine, endCharacter);
  }
}

class EventEmitter {
  private readonly listeners: ((value: unknown) => void)[] = [];
  readonly event = (listener: (value: unknown) => void, self?: unknown): object => {
    this.listeners.push(listener.bind(self));
    return nothing();
  };
  fire(value: unknown): void {
    for (const listener of this.listeners) listener(value);
  }
  dispose(): void {}
}

class CancellationTokenSource {
  readonly token = { isCancellationRequested: false, onCancellationRequested: nothing };
  cancel(): void {}
  dispose(): void {}
}

class Disposable {
  constructor(readonly dispose: () => void) {}
  static from = (...all: readonly Disposable[]): Disposable =>
    new Disposable(() => all.forEach((one) => void one.dispose()));
}

class CompletionItem {
  constructor(readonly label: string) {}
}

class CompletionList {
  constructor(readonly items: readonly CompletionItem[]) {}
}

class Diagnostic {
  code?: { readonly value: string };
  constructor(
    readonly range: Range,
    readonly message: string,
  ) {}
}

export interface OpenDocument {
  readonly uri: Uri;
  readonly languageId: string;
  readonly version: number;
  getText(): string;
}

interface CompletionProvider {
  provideCompletionItems(
    document: OpenDocument,
    position: Position,
    token: object,
    context: object,
  ): Promise<CompletionList | readonly CompletionItem[]>;
}

export interface Extension {
  activate(context: object): Promise<void>;
  deactivate(): Promise<void>;
}

const nothing = (): object => ({ dispose() {} });

const anything: object = new Proxy(class {}, {
  get: (target, key) => (key === 'prototype' ? Reflect.get(target, key) : anything),
  apply: () => anything,
});

export class Editor {
  readonly commands: string[] = [];
  readonly taskTypes: string[] = [];
  /** Command lines. */
  readonly started: string[][] = [];
  /** Messages of errors that are shown. */
  readonly errors: string[] = [];
  readonly documents: readonly OpenDocument[];
  /** Path → what is marked in it. */
  readonly marked = new Map<string, readonly Diagnostic[]>();
  completion: { readonly provider: CompletionProvider; readonly triggers: readonly string[] } | undefined;

  constructor(private readonly options: EditorOptions = {}) {
    this.documents = Object.entries(options.documents ?? {}).map(([path, text]) => ({
      uri: Uri.file(path),
      languageId: 'ftp',
      version: 1,
      getText: () => text,
    }));
  }

  /** Runs the code of an extension; `activate` is still to be called. */
  load(code: string): Extension {
    const real = createRequire(import.meta.url);
    const known = this.api();
    const vscode = new Proxy({}, { get: (_, key) => known[String(key)] ?? anything });
    const spawn = (command: string, args: readonly string[], how: childProcess.SpawnOptions) => {
      this.started.push([command, ...args]);
      if (this.options.starts !== true) throw new Error('not here');
      return childProcess.spawn(command, args, how);
    };
    const load = (name: string): unknown => {
      if (name === 'vscode') return vscode;
      return /child_process/.test(name) ? { ...real(name), spawn } : real(name);
    };
    const module: { exports: object } = { exports: {} };
    vm.runInThisContext(`(function (module, exports, require) {${code}\n})`)(module, module.exports, load);
    return module.exports as Extension;
  }

  /** The labels of what is offered at a place of the first document. */
  async complete(line: number, character: number): Promise<readonly string[]> {
    const [document] = this.documents;
    if (this.completion === undefined || document === undefined) throw new Error('nothing completes');
    const { token } = new CancellationTokenSource();
    const at = new Position(line, character);
    const found = await this.completion.provider.provideCompletionItems(document, at, token, {});
    return ('items' in found ? found.items : found).map(({ label }) => label);
  }

  private api(): Readonly<Record<string, unknown>> {
    const { settings = {}, folder, isTrusted = true } = this.options;
    const all: Readonly<Record<string, unknown>> = { ftpc: settings };
    return {
      version: '1.99.0',
      env: { language: 'en', appName: 'a stand-in' },
      ...{ Uri, Position, Range, EventEmitter, CancellationTokenSource, Disposable },
      ...{ CompletionItem, CompletionList, Diagnostic },
      commands: {
        registerCommand: (name: string) => {
          this.commands.push(name);
          return nothing();
        },
        executeCommand: async () => undefined,
      },
      tasks: {
        registerTaskProvider: (type: string) => {
          this.taskTypes.push(type);
          return nothing();
        },
      },
      languages: quiet({
        match: (selector: readonly { readonly language?: string }[], { languageId }: OpenDocument) =>
          selector.some(({ language }) => language === languageId) ? 10 : 0,
        createDiagnosticCollection: () => ({
          set: ({ fsPath }: Uri, found: readonly Diagnostic[]) => this.marked.set(fsPath, found),
          delete: ({ fsPath }: Uri) => this.marked.delete(fsPath),
          clear: () => this.marked.clear(),
          dispose() {},
        }),
        registerCompletionItemProvider: (_: object, provider: CompletionProvider, ...triggers: string[]) => {
          this.completion = { provider, triggers };
          return nothing();
        },
      }),
      workspace: quiet({
        isTrusted,
        workspaceFolders:
          folder === undefined ? undefined : [{ uri: Uri.file(folder), name: 'work', index: 0 }],
        textDocuments: this.documents,
        getConfiguration: (section?: string) => {
          const values = (section === undefined ? all : (all[section] ?? {})) as Record<string, unknown>;
          return { ...values, get: (name: string, other?: unknown) => values[name] ?? other };
        },
      }),
      window: quiet({
        tabGroups: { all: [] },
        activeTextEditor: undefined,
        createOutputChannel: () => ({ append() {}, appendLine() {}, show() {}, dispose() {} }),
        showErrorMessage: async (message: string) => {
          this.errors.push(message);
        },
      }),
    };
  }
}

/** Every function that is not there is `nothing`: above all, what happens to it is never told. */
const quiet = (known: object): object =>
  new Proxy(known, { get: (target, key) => (key in target ? Reflect.get(target, key) : nothing) });
