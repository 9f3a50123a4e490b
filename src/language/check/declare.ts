/** The names of a file: what it imports and declares, each once. */
import * as errors from '../diagnostics/catalogue/names.js';
import { badSecret, matrixElsewhere } from '../diagnostics/catalogue/params.js';
import { isTestFile, misplacedNative, misplacedTest, notInTests } from '../diagnostics/catalogue/syntax.js';
import { nearest } from '../diagnostics/did-you-mean.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { StageKind } from '../ir/program.js';
import { functionKey, functions } from '../schemas/functions/index.js';
import { isMethod } from '../schemas/methods.js';
import { schemas } from '../schemas/stages/index.js';
import type { Span } from '../source/span.js';
import type { Block, Secret, SourceFile, Word } from '../syntax/ast.js';
import { referredTo } from '../syntax/references.js';
import { Context, type FolderAccess } from './context.js';
import { machineSymbol } from './machines.js';
import { type Binding, matrixSymbol } from './matrix.js';
import { type Module, type ModuleLoader, PRELUDE } from './modules.js';
import type { Overrides } from './overrides.js';
import { paramSymbol } from './params.js';
import { methodOf, presetSymbol } from './presets.js';
import { type FtpSymbol, type FunctionSymbol, Scope } from './scope.js';
import { isSearch } from './winners.js';

export class Declarations {
  private readonly contexts = new Map<Module, Context>();
  private readonly prelude: ReadonlyMap<string, FunctionSymbol>;

  constructor(
    private readonly loader: ModuleLoader,
    private readonly access: FolderAccess,
    private readonly overrides: Overrides,
    /** The combination that the pipeline's matrices are in; none while their values are read. */
    private readonly binding: Binding | undefined,
  ) {
    this.prelude = natives(loader.library(PRELUDE));
  }

  /** The scope of a file, with the diagnostics of its declarations; made once. */
  context(module: Module, isMain: boolean): Context {
    const made = this.contexts.get(module);
    if (made !== undefined) return made;
    const { tree } = module;
    const importAt = tree.imports[0]?.span.start ?? endOfLine(module, tree.edition?.span.end ?? 0);
    const scope = new Scope(
      this.prelude,
      (name) => this.exporter(name),
      () => this.libraryMachines(),
      importAt,
      (from) => tree.imports.find((statement) => statement.from.text === from)?.names.at(-1)?.span.end,
    );
    const context = new Context(scope, this.access);
    this.contexts.set(module, context);
    const spans = new Map<string, Span>();
    const declare = (name: Word, symbol: FtpSymbol) => {
      const first = spans.get(name.text);
      if (name.text === '') return;
      // What an import that failed would have brought is not there twice.
      const known = scope.own.get(name.text);
      if (first !== undefined && known !== undefined && known.kind !== 'unknown') {
        context.report(errors.duplicateName(name.span, name.text, first));
        if (known.kind === symbol.kind) return;
        scope.ambiguous.add(name.text);
        // The other stages refer to it by its ports.
        if (symbol.kind === 'stage') scope.own.set(name.text, symbol);
      } else {
        spans.set(name.text, name.span);
        scope.own.set(name.text, symbol);
      }
    };
    // what a module of the library exports, its own presets may use
    for (const [name, symbol] of natives(module)) scope.own.set(name, symbol);
    for (const { statement, module: imported } of module.imports)
      for (const name of statement.names) declare(name, this.imported(name, imported, context));
    for (const declaration of tree.params)
      declare(declaration.name, paramSymbol(declaration, context, isMain ? this.overrides : undefined));
    for (const declaration of tree.matrices) {
      if (!isMain && !isTestFile(tree.file)) context.report(matrixElsewhere(declaration.name.span));
      declare(
        declaration.name,
        isSearch(declaration)
          ? { kind: 'search', declaration }
          : matrixSymbol(declaration, context, this.binding),
      );
    }
    for (const declaration of tree.secrets) {
      checkSecret(declaration, context);
      declare(declaration.name, { kind: 'secret', declaration });
    }
    for (const declaration of tree.presets)
      declare(declaration.name, presetSymbol(declaration, module, context));
    for (const declaration of tree.machines) declare(declaration.name, machineSymbol(declaration, context));
    if (!module.isLibrary) context.diagnostics.push(...misplaced(tree));
    if (!module.isLibrary) for (const native of tree.natives) context.report(misplacedNative(native.span));
    for (const block of tree.blocks)
      declare(block.name, block.kind.text === 'budget' ? { kind: 'budget', block } : stage(block, context));
    // What a test means is decided where tests are run; what it refers to is used.
    for (const { properties, expectations } of tree.tests)
      for (const written of [
        ...properties.map(({ value }) => value),
        ...expectations.map(({ condition }) => condition),
      ])
        for (const word of referredTo(written)) scope.used.add(word.text);
    return context;
  }

  all(): readonly Context[] {
    return [...this.contexts.values()];
  }

  byFile(): ReadonlyMap<string, Context> {
    return new Map([...this.contexts].map(([module, context]) => [module.source.file, context]));
  }

  private imported(name: Word, module: Module | undefined, context: Context): FtpSymbol {
    if (module === undefined) return { kind: 'unknown' };
    if (module.isLibrary) {
      const exported = natives(module);
      const found = exported.get(name.text) ?? this.declaredBy(module, name.text);
      if (found !== undefined) return found;
      const native = this.prelude.get(name.text);
      if (native !== undefined) {
        context.report(errors.knownAnyway(name.span, name.text));
        return native;
      }
      if (isMethod(name.text)) {
        context.report(errors.importedMethod(name.span, name.text));
        return { kind: 'unknown' };
      }
      const known = [...exported.keys(), ...declaredNames(module)];
      context.report(errors.unknownExport(name.span, name.text, module.name, known));
      this.standIn(nearest(name.text, known), module, context);
      return { kind: 'unknown' };
    }
    const { scope } = this.context(module, false);
    const symbol = scope.own.get(name.text);
    if (symbol?.kind === 'param' || symbol?.kind === 'preset' || symbol?.kind === 'machine') return symbol;
    // What could not be read of it may be what is missing.
    if (symbol !== undefined || !module.tree.broken)
      context.report(
        errors.unknownExport(
          name.span,
          name.text,
          module.name,
          scope.declared('param', 'preset', 'machine'),
          symbol === undefined || symbol.kind === 'unknown' ? undefined : symbol.kind,
        ),
      );
    return { kind: 'unknown' };
  }

  /** What a misspelt import was meant to bring is there: that it is not would be the same mistake again. */
  private standIn(meant: string | undefined, module: Module, { scope }: Context): void {
    if (meant === undefined || scope.own.has(meant)) return;
    const found = natives(module).get(meant) ?? this.declaredBy(module, meant);
    if (found !== undefined) scope.own.set(meant, found);
  }

  /** A preset or a machine of the library. */
  private declaredBy(module: Module, name: string): FtpSymbol | undefined {
    if (!declaredNames(module).includes(name)) return undefined;
    const symbol = this.context(module, false).scope.own.get(name);
    return symbol?.kind === 'preset' || symbol?.kind === 'machine' ? symbol : undefined;
  }

  private libraryMachines(): readonly string[] {
    return this.loader
      .libraryNames()
      .flatMap((module) => this.loader.library(module)?.tree.machines.map(({ name }) => name.text) ?? []);
  }

  private exporter(name: string): string | undefined {
    return this.loader.libraryNames().find((module) => {
      const loaded = this.loader.library(module);
      return natives(loaded).has(name) || (loaded !== undefined && declaredNames(loaded).includes(name));
    });
  }
}

/** Presets and machines. */
const declaredNames = ({ tree }: Module): readonly string[] =>
  [...tree.presets, ...tree.machines].map(({ name }) => name.text);

/** What a module of the library exports: the functions that it declares. */
export function natives(module: Module | undefined): ReadonlyMap<string, FunctionSymbol> {
  const found = new Map<string, FunctionSymbol>();
  for (const { name, family } of module?.tree.natives ?? []) {
    const key = functionKey(name.text, family.text);
    const schema = key === undefined ? undefined : functions[key];
    if (key !== undefined && schema !== undefined)
      found.set(name.text, { kind: 'function', name: key, schema });
  }
  return found;
}

function stage(block: Block, context: Context): FtpSymbol {
  const schema = Object.hasOwn(schemas, block.kind.text) ? schemas[block.kind.text as StageKind] : undefined;
  if (schema === undefined) {
    const known = [...Object.keys(schemas), 'budget'];
    context.report(errors.unknownKind(block.kind.span, block.kind.text, known));
  }
  // Only names are looked at here: imports and presets are before blocks.
  const method = schema === undefined ? undefined : methodOf(block.using, schema.kind, context.scope);
  return { kind: 'stage', block, schema, method };
}

function checkSecret({ value }: Secret, context: Context): void {
  if (value.kind === 'missing') return;
  const isEnv =
    value.kind === 'call' &&
    value.callee.text === 'env' &&
    value.args.length === 1 &&
    value.args[0]?.value.kind === 'string' &&
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(value.args[0].value.value);
  if (!isEnv) context.report(badSecret(value.span));
}

function endOfLine(module: Module, offset: number): number {
  if (offset === 0) return 0;
  const next = module.source.lineStarts.find((start) => start > offset);
  return next ?? module.source.text.length;
}

function misplaced(tree: SourceFile): readonly Diagnostic[] {
  if (!isTestFile(tree.file)) return tree.tests.map(({ span }) => misplacedTest(word(span, 'test')));
  const refuse = (items: readonly { readonly span: Span }[], keyword: string) =>
    items.map(({ span }) => notInTests(word(span, keyword), `\`${keyword}\``));
  return [
    ...refuse(tree.matrices, 'matrix'),
    ...refuse(tree.secrets, 'secret'),
    ...refuse(tree.presets, 'preset'),
    ...refuse(tree.machines, 'machine'),
    ...tree.blocks.map(({ kind }) => notInTests(kind.span, `\`${kind.text}\``)),
  ];
}

const word = (span: Span, keyword: string): Span => ({ ...span, end: span.start + keyword.length });
