/**
 * A pipeline's text → the checked program that is planned and run.
 *
 *     text ─1 parse─▶ trees ─2 declare─▶ names ─3 check─▶ blocks ─4 spread─▶ stages ─5 wire─▶ graph ─6 order─▶ Program
 *
 * 1. Parse. The file and what it imports, each lexed, parsed and turned into a tree with spans
 *    (`check/modules.ts`, `syntax/parse.ts`). What cannot be read is reported, and the rest is kept.
 * 2. Declare. The names of each file: imports, parameters, secrets, presets, stages (`check/declare.ts`); the values
 *    of matrices (`check/matrix.ts`).
 * 3. Check. Each block against the schema of its kind: types, units, ranges, defaults, files, and what it
 *    requires (`check/stages.ts`, `check/setting-value.ts`, `check/requirements.ts`).
 * 4. Spread. A block that follows from a matrix becomes a stage for each of its values (`check/sweep.ts`).
 * 5. Wire. Circles, whose tokenizer a format uses, wirings that cannot be meant (`check/stage-graph.ts`,
 *    `check/tokenizers.ts`, `check/consistency.ts`).
 * 6. Order. Stages after their inputs, and the program as plain data.
 *
 * Nothing here throws for what a user wrote: every mistake is a diagnostic, and one mistake is one error.
 */
import { basename, dirname, resolve } from 'node:path';
import { checkConsistency } from './check/consistency.js';
import type { Context, FolderAccess } from './check/context.js';
import { Declarations } from './check/declare.js';
import { machinesIn } from './check/machines.js';
import { type Module, ModuleLoader } from './check/modules.js';
import { nearPath } from './check/near-paths.js';
import { onePerMistake } from './check/one-per-mistake.js';
import { checkOverrides, FILES, type Overrides, overridesFrom, type ParamValues } from './check/overrides.js';
import { checkSearch } from './check/search.js';
import { findCycles, inOrder } from './check/stage-graph.js';
import { type CheckedStage, checkBlocks, evaluateParams } from './check/stages.js';
import { blanksInTexts } from './check/suspicious-texts.js';
import {
  isOpen,
  leftOut,
  namingStages,
  readMatrices,
  type Sweep,
  searchIn,
  spread,
  spreadBudgets,
} from './check/sweep.js';
import { fillTokenizers } from './check/tokenizers.js';
import { stagesWithoutEffect, unusedDeclarations, unusedImports } from './check/unused.js';
import { hostError, tooManyMistakes } from './diagnostics/catalogue/files.js';
import { type Diagnostic, isError } from './diagnostics/types.js';
import { type Host, HostError, lookingOnce } from './host/host.js';
import type { Budget, Program, Search } from './ir/program.js';
import { withWaiting } from './ir/search.js';
import type { SourceMap } from './source/text.js';

export interface CompileOptions {
  /** `-p name=value`, and what files of parameters hold: values as they would be typed. */
  readonly params?: ParamValues;
}

/** What the tools around the language look at: there even where the pipeline has errors. */
export interface Analysis {
  /** The pipeline's own file. */
  readonly main: Module;
  /** Names of that file, those of the prelude included. */
  readonly context: Context;
  /** Names of every file that was read, library included, by {@link SourceText.file}. */
  readonly contexts: ReadonlyMap<string, Context>;
  /** Every file that was read, by {@link SourceText.file}. */
  readonly modules: ReadonlyMap<string, Module>;
  readonly stages: readonly CheckedStage[];
}

export interface CompileResult {
  /** Absent where there is an error. */
  readonly program?: Program;
  /** Absent where the file cannot be read. */
  readonly analysis?: Analysis;
  /** In order of file and place. */
  readonly diagnostics: readonly Diagnostic[];
  /** Every file that was read, for rendering. */
  readonly sources: SourceMap;
}

export function compile(disk: Host, file: string, options: CompileOptions = {}): CompileResult {
  const host = lookingOnce(disk);
  const loader = new ModuleLoader(host);
  const { sources } = loader;

  // 1. Parse.
  const main = parse(loader, file, host);
  if ('code' in main) return { diagnostics: [main], sources };

  // 2. Declare.
  const access = { host, folder: dirname(resolve(host.cwd, file)) };
  const names = declare(main, loader, access, overridesFrom(options.params));

  // 3. Check.
  const { params, combinations, cycles } = check(main, names);
  const [{ stages, budgets }] = combinations;

  // 4. Spread. 5. Wire: neither is defined for stages that wait for each other.
  const { search } = names.sweep;
  if (search !== undefined && names.sweep.open.size > 0)
    checkSearch(search, namingStages(stages), (stage) => isOpen(stage, names.sweep.axes), names.context);
  const hasCycle = cycles.length > 0;
  const wired = hasCycle ? stages : wire(main, names, spread(names.sweep, combinations), budgets);

  const found = () => [...(options.params?.[FILES]?.diagnostics ?? []), ...diagnosticsOf(names)];
  // What an erroneous line would have used is not unused.
  if (![...loader.diagnostics, ...found()].some(isError)) reportUnused(main, names, stages);
  const diagnostics = onePerMistake(loader.diagnostics, found(), main.tree, sources);
  const analysis: Analysis = {
    main,
    context: names.context,
    contexts: names.declarations.byFile(),
    modules: loader.byFile(),
    stages: wired,
  };
  if (diagnostics.some(isError)) return { analysis, diagnostics: firstOf(diagnostics, file), sources };

  // 6. Order.
  const machines = machinesIn(names.context);
  const program: Program = {
    file,
    name: basename(file).replace(/\.ftp$/, ''),
    folder: access.folder,
    stages: withWaiting(inOrder(wired).map(({ checked, inputs }) => ({ ...checked.stage, inputs }))),
    budgets: spreadBudgets(names.sweep, combinations),
    ...searching(searchIn(names.sweep, stages)),
    params,
    ...(machines.length === 0 ? {} : { machines }),
    doc: main.tree.doc,
  };
  return { program, analysis, diagnostics, sources };
}

const searching = (search: Search | undefined): Pick<Program, 'search'> =>
  search === undefined ? {} : { search };

/** The pipeline's own file, or why it cannot be read; imports are read when their names are. */
function parse(loader: ModuleLoader, file: string, host: Host): Module | Diagnostic {
  try {
    return loader.main(file);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return hostError({ ...error, path: file, meant: nearPath(file, host.cwd, host) });
  }
}

/** The names of the pipeline and of what it imports. */
interface ProgramScope {
  readonly sweep: Sweep;
  /** One for each combination of the matrices' values; `declarations` and `context` are the first one's. */
  readonly all: readonly { readonly declarations: Declarations; readonly context: Context }[];
  readonly declarations: Declarations;
  readonly context: Context;
}

function declare(
  main: Module,
  loader: ModuleLoader,
  access: FolderAccess,
  overrides: Overrides,
): ProgramScope {
  const sweep = readMatrices(main, loader, access, overrides);
  const all = sweep.bindings.map((binding) => {
    const declarations = new Declarations(loader, access, overrides, binding);
    return { declarations, context: declarations.context(main, true) };
  });
  const [first] = all;
  if (first === undefined) throw new Error('there is no combination');
  const declaredParams = [...main.tree.params, ...main.tree.matrices].map(({ name }) => name.text);
  checkOverrides(overrides, declaredParams, first.context);
  return { sweep, all, ...first };
}

/** Checks parameters and blocks in every combination; cycles are the same in each. */
function check(main: Module, { sweep, all, declarations, context }: ProgramScope) {
  for (const imported of declarations.all()) if (imported !== context) evaluateParams(imported);
  const params = evaluateParams(context, (name) => sweep.open.has(name) || isOpen(name, sweep.axes));
  const first = checkBlocks(main, context);
  const cycles = findCycles(first.stages);
  context.diagnostics.push(...cycles);
  const others = all
    .slice(1)
    .map((other) => checkBlocks(main, other.context, (stage) => isOpen(stage, sweep.axes)));
  return { params, combinations: [first, ...others] as const, cycles };
}

/** Gives formats their tokenizers, and reports wirings that cannot be meant. */
function wire(
  main: Module,
  { context }: ProgramScope,
  stages: readonly CheckedStage[],
  budgets: readonly Budget[],
): readonly CheckedStage[] {
  const wired = fillTokenizers(stages, (found) => context.report(found));
  context.diagnostics.push(...checkConsistency(wired, budgets, main.tree, context.access));
  return wired;
}

/** Found so far in the matrices, and in every file in every combination. */
const diagnosticsOf = ({ sweep, all }: ProgramScope): readonly Diagnostic[] => [
  ...sweep.diagnostics,
  ...all.flatMap(({ declarations }) => declarations.all()).flatMap(({ diagnostics }) => diagnostics),
];

/** What a pipeline without errors declares or imports for nothing. */
function reportUnused(main: Module, { sweep, context }: ProgramScope, stages: readonly CheckedStage[]): void {
  context.diagnostics.push(
    ...unusedImports(main, context.scope),
    ...unusedDeclarations(main, context.scope),
    ...stagesWithoutEffect(stages, main),
    ...leftOut(sweep, stages),
    ...blanksInTexts(main, context.scope),
  );
}

/** Mistakes that are shown of one pipeline: a file of another kind has more than anyone reads. */
const MOST = 200;

const firstOf = (diagnostics: readonly Diagnostic[], file: string): readonly Diagnostic[] =>
  diagnostics.length <= MOST
    ? diagnostics
    : [...diagnostics.slice(0, MOST), tooManyMistakes(file, diagnostics.length - MOST)];
