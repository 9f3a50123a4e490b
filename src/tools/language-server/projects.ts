/** Compilations of the open pipelines, each made once for a text and dropped when what it has read changes. */
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Module } from '../../language/check/modules.js';
import { type Analysis, type CompileResult, compile } from '../../language/compile.js';
import { isTestFile } from '../../language/diagnostics/catalogue/syntax.js';
import type { Host } from '../../language/host/host.js';
import { type SourceText, sourceText } from '../../language/source/text.js';
import type { Test } from '../../language/syntax/ast.js';
import { settingOf } from '../pipeline-tests/settings.js';
import { type FileIndex, indexOf } from './names/file-index.js';
import { declaredIn } from './names/targets.js';
import type { PipelineNames } from './names/test-names.js';
import { CachedDisk, isInside, isPipelineFile, type OpenFiles } from './open-files.js';

export interface Compilation extends CompileResult {
  /** Absolute path of the pipeline. */
  readonly path: string;
  readonly root: string;
  readonly host: Host;
  readonly seen: ReadonlySet<string>;
  readonly params: Readonly<Record<string, string>>;
}

/** A file as a pipeline sees it; of a file that is opened itself, that pipeline is the file. */
export interface View {
  readonly compiled: Compilation;
  readonly analysis: Analysis;
  readonly module: Module;
  readonly source: SourceText;
  readonly index: FileIndex;
}

export class Projects {
  private readonly made = new Map<string, Compilation>();
  private readonly cachedDisk: CachedDisk;

  constructor(
    private readonly disk: Host,
    readonly open: OpenFiles,
    private readonly params: () => Readonly<Record<string, string>>,
  ) {
    this.cachedDisk = new CachedDisk(disk, open);
  }

  /** A document has changed, was opened or closed. */
  changed(path: string): void {
    for (const [main, { seen }] of this.made) if (main === path || seen.has(path)) this.made.delete(main);
  }

  /** Files on the disk, the folders of the workspace or the settings have changed. */
  changedAll(): void {
    this.made.clear();
    this.cachedDisk.forget();
  }

  compiled(path: string): Compilation {
    const known = this.made.get(path);
    if (known !== undefined) return known;
    const seen = new Set<string>();
    const root = this.open.rootOf(path);
    const host = this.cachedDisk.host(root, seen);
    const params = this.paramsOf(host, path);
    const made = { ...compile(host, path, { params }), path, root, host, seen, params };
    // Its tests refer to the pipeline with its name.
    if (isTestFile(path)) seen.add(pipelineOf(path));
    if (this.open.get(path) !== undefined) this.made.set(path, made);
    return made;
  }

  /** The values that the editor's settings give to this pipeline's own parameters. */
  private paramsOf(host: Host, path: string): Readonly<Record<string, string>> {
    if (Object.keys(this.params()).length === 0) return {};
    const { analysis } = compile(host, path);
    const known = new Set(analysis?.main.tree.params.map(({ name }) => name.text));
    return Object.fromEntries(Object.entries(this.params()).filter(([name]) => known.has(name)));
  }

  view(path: string): View | undefined {
    const compiled = this.compiled(path);
    return compiled.analysis === undefined
      ? undefined
      : this.viewOf(compiled, compiled.analysis, compiled.analysis.main);
  }

  private viewOf(compiled: Compilation, analysis: Analysis, module: Module): View {
    const indexed = (): FileIndex => this.indexOf(module);
    return {
      compiled,
      analysis,
      module,
      source: module.source,
      // Not every request asks what the words refer to.
      get index() {
        return indexed();
      },
    };
  }

  indexOf(module: Module): FileIndex {
    const tested = new Map<string, PipelineNames>();
    return indexOf(module, (test) => {
      const path = pipelineOf(module.path, test);
      const known = tested.get(path) ?? this.declaredAt(path);
      tested.set(path, known);
      return known;
    });
  }

  /** What the pipeline at a path declares, as far as it can be read. */
  declaredAt(path: string): PipelineNames {
    const main = this.compiled(path).analysis?.main;
    return main === undefined ? new Map() : declaredIn(main);
  }

  /** Open pipelines, in the order in which they were opened. */
  opened(): readonly string[] {
    return this.open
      .all()
      .map(({ path }) => path)
      .filter((path) => isPipelineFile(path) || this.open.isUnsaved(path));
  }

  /** A host over the open documents, for looks besides a compilation. */
  hostAt(root: string): Host {
    return this.cachedDisk.host(root, new Set());
  }

  /** The text of a file as the editor has it, or as it is on the disk; `undefined` if there is none. */
  sourceOf(path: string): SourceText | undefined {
    const file = this.open.get(path);
    if (file !== undefined) return sourceText(path, file.text);
    const host = this.hostAt(dirname(path));
    return host.stat(path)?.isFolder === false ? sourceText(path, host.readText(path)) : undefined;
  }

  /** Is it a file of the library? It declares what only it may declare, and is the same for everyone. */
  isLibrary(path: string): boolean {
    return isInside(join(this.disk.packageFolder, 'stdlib'), path);
  }

  get packageFolder(): string {
    return this.disk.packageFolder;
  }
}

/** The pipeline that a test is of: with the name of its file, or the one that the test names. */
export function pipelineOf(file: string, test?: Test): string {
  const own = file.replace(/\.test\.ftp$/, '.ftp');
  const named = test === undefined ? undefined : settingOf(test, 'pipeline')?.value;
  return named?.kind === 'string' ? join(dirname(file), named.value) : own;
}

/** The absolute path of a file that a span names. */
export function pathOf(compiled: Compilation, file: string): string {
  const module = compiled.analysis?.modules.get(file);
  if (module !== undefined) return module.path;
  if (file.startsWith('std/')) return join(compiled.host.packageFolder, 'stdlib', file);
  return resolve(compiled.root, file);
}

/** A path as people read it: relative to the folder that the pipeline is compiled in. */
export function shownPath(compiled: Compilation, path: string): string {
  const inside = relative(compiled.root, path);
  return inside.startsWith('..') || isAbsolute(inside) ? path : inside;
}
