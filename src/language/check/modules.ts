/** Loads the files of a program: the pipeline, what it imports, and the prelude. */
import { createHash } from 'node:crypto';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { notText } from '../diagnostics/catalogue/files.js';
import * as errors from '../diagnostics/catalogue/names.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { type Host, HostError, type HostErrorCode } from '../host/host.js';
import { type SourceText, sourceText } from '../source/text.js';
import { lossyText, notUtf8At } from '../source/utf8.js';
import type { Import, SourceFile } from '../syntax/ast.js';
import { type ParseResult, parse } from '../syntax/parse.js';
import { nearPath } from './near-paths.js';

export interface Module {
  /** What an import calls it: `std/data`, or the path. */
  readonly name: string;
  readonly path: string;
  readonly isLibrary: boolean;
  readonly source: SourceText;
  readonly tree: SourceFile;
  readonly imports: readonly { readonly statement: Import; readonly module: Module | undefined }[];
}

/** Bytes of a pipeline or a module; ten thousand lines have half of it. */
const MOST_BYTES = 1_000_000;

/** Throws a {@link HostError} for a file that is too long for a pipeline, before it is read. */
export function requireSourceSize(host: Pick<Host, 'stat'>, path: string): void {
  const { size = 0 } = host.stat(path) ?? {};
  if (size > MOST_BYTES) throw new HostError('too_large', path, `the file has ${size} bytes`);
}

const WHY: Readonly<Record<HostErrorCode, string>> = {
  not_found: 'no such file',
  is_folder: 'a folder',
  no_file: 'a pipe or a device',
  no_access: 'no permission to read it',
  too_large: 'too large',
  no_memory: 'no memory to read it',
  too_many: 'too many files',
  open_files: 'more files are open than `ulimit -n` allows',
  io: 'the disk reports an error',
};

export const PRELUDE = 'std/prelude';

/** The library's modules by their text: an editor checks at every keystroke, and they do not change. */
const library = new Map<string, ParseResult>();

function parseOnce(source: SourceText, host: Host): ParseResult {
  const known = library.get(source.text);
  if (known !== undefined && known.tree.file === source.file) return known;
  const parsed = parsedBefore(source, host) ?? parse(source);
  library.set(source.text, parsed);
  return parsed;
}

/** What `scripts/parse-library.mjs` wrote for this very text. */
function parsedBefore({ file, text }: SourceText, host: Host): ParseResult | undefined {
  const path = join(host.packageFolder, 'dist', 'stdlib', file.replace(/ftp$/, 'json'));
  try {
    if (host.stat(path) === undefined) return undefined;
    const { sha256, tree } = JSON.parse(host.readText(path)) as { sha256: string; tree: SourceFile };
    return sha256 === createHash('sha256').update(text).digest('hex') ? { tree, diagnostics: [] } : undefined;
  } catch {
    // a damaged copy is as good as none
    return undefined;
  }
}

export class ModuleLoader {
  readonly sources = new Map<string, SourceText>();
  readonly diagnostics: Diagnostic[] = [];
  private readonly loaded = new Map<string, Module | undefined>();
  private readonly files = new Map<string, Module>();
  private readonly loading: string[] = [];
  /** Paths of files that are no text. */
  private readonly unreadable = new Set<string>();

  constructor(private readonly host: Host) {}

  /** The file that a user asked for. Throws a {@link HostError} if it cannot be read. */
  main(file: string): Module {
    const path = resolve(this.host.cwd, file);
    return this.read(this.displayed(path), path, false);
  }

  library(name: string): Module | undefined {
    const path = this.libraryPath(name);
    if (!this.loaded.has(path)) {
      try {
        this.loaded.set(path, this.read(name, path, true));
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        this.loaded.set(path, undefined);
      }
    }
    return this.loaded.get(path);
  }

  /** Names of the library's modules. */
  libraryNames(): readonly string[] {
    try {
      const names = this.host.list(join(this.host.packageFolder, 'stdlib', 'std'));
      return names
        .filter((name) => name.endsWith('.ftp'))
        .map((name) => `std/${name.slice(0, -4)}`)
        .filter((name) => name !== PRELUDE);
    } catch (error) {
      if (error instanceof HostError) return [];
      throw error;
    }
  }

  private libraryPath(name: string): string {
    return join(this.host.packageFolder, 'stdlib', `${name}.ftp`);
  }

  private displayed(path: string): string {
    const inside = relative(this.host.cwd, path);
    return inside.startsWith('..') || isAbsolute(inside) ? path : inside;
  }

  private read(name: string, path: string, isLibrary: boolean): Module {
    requireSourceSize(this.host, path);
    const source = sourceText(isLibrary ? `${name}.ftp` : name, this.host.readText(path));
    this.sources.set(source.file, source);
    const { tree, diagnostics } = isLibrary
      ? parseOnce(source, this.host)
      : (this.notText(path, source) ?? parse(source));
    for (const found of diagnostics) this.diagnostics.push(found);
    this.loading.push(path);
    const imports = tree.imports.map((statement) => ({ statement, module: this.imported(statement, path) }));
    this.loading.pop();
    const module: Module = { name, path, isLibrary, source, tree, imports };
    this.files.set(source.file, module);
    return module;
  }

  /** One error for bytes that are no text, in place of one for each; nothing of such a file is used. */
  private notText(path: string, source: SourceText): ParseResult | undefined {
    const { file, text } = source;
    const bytes = text.includes('\ufffd') ? this.bytesOf(path) : undefined;
    // An editor's text is not what the disk has.
    if (bytes === undefined || lossyText(bytes) !== text) return undefined;
    const at = notUtf8At(bytes, text);
    if (at === undefined) return undefined;
    this.unreadable.add(path);
    const { tree } = parse(sourceText(file, ''));
    return { tree, diagnostics: [notText({ file, start: at, end: at + 1 }, file)] };
  }

  private bytesOf(path: string): Uint8Array | undefined {
    try {
      return this.host.readBytes(path);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      return undefined;
    }
  }

  /** Every file that was read, by the name that spans use. */
  byFile(): ReadonlyMap<string, Module> {
    return this.files;
  }

  private imported(statement: Import, from: string): Module | undefined {
    const { text, span } = statement.from;
    if (text === '' && span.start === span.end) return undefined;
    if (/^std\/[A-Za-z0-9_]+$/.test(text)) {
      const module = text === PRELUDE ? undefined : this.library(text);
      if (module === undefined) this.diagnostics.push(errors.unknownModule(span, text, this.libraryNames()));
      return module;
    }
    if (!/^\.\.?\//.test(text)) {
      this.diagnostics.push(errors.unknownModule(span, text, this.libraryNames()));
      return undefined;
    }
    const path = resolve(dirname(from), text);
    const start = this.loading.indexOf(path);
    if (start >= 0) {
      const circle = [...this.loading.slice(start), path].map((file) => this.displayed(file));
      this.diagnostics.push(errors.importCycle(span, circle));
      return undefined;
    }
    if (!this.loaded.has(path)) {
      try {
        const module = this.read(this.displayed(path), path, false);
        this.loaded.set(path, this.unreadable.has(path) ? undefined : module);
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        const meant =
          this.host.stat(`${path}.ftp`) === undefined
            ? nearPath(text, dirname(from), this.host)
            : `${text}.ftp`;
        this.diagnostics.push(errors.importNotFound(span, text, WHY[error.code], meant));
        return undefined;
      }
    }
    return this.loaded.get(path);
  }
}
