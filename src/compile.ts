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
 *    requires (`check/stages.ts`, `check/evaluate.ts`, `check/requirements.ts`).
 * 4. Spread. A block that follows from a matrix becomes a stage for each of its values (`check/sweep.ts`).
 * 5. Wire. Circles, whose tokenizer a format uses, wirings that cannot be meant (`check/wiring.ts`,
 *    `check/tokenizers.ts`, `check/consistency.ts`).
 * 6. Order. Stages after their inputs, and the program as plain data.
 *
 * Nothing here throws for what a user wrote: every mistake is a diagnostic, and one mistake is one error.
 */
import { basename, dirname, resolve } from 'node:path';
import { blanksInTexts } from './check/blanks.js';
import { checkBlocks, evaluateParams } from './check/blocks.js';
import { checkConsistency } from './check/consistency.js';
import type { Context } from './check/context.js';
import { Declarations } from './check/declare.js';
import { unusedImports } from './check/imports.js';
import { type Module, ModuleLoader } from './check/modules.js';
import { onePerMistake } from './check/one-per-mistake.js';
import { checkOverrides, FILES, overridesFrom, type ParamValues } from './check/overrides.js';
import type { CheckedStage } from './check/stages.js';
import { isOpen, leftOut, readMatrices, spread, spreadBudgets } from './check/sweep.js';
import { fillTokenizers } from './check/tokenizers.js';
import { stagesWithoutEffect, unusedDeclarations } from './check/unused.js';
import { findCycles, inOrder } from './check/wiring.js';
import { hostError, tooManyMistakes } from './diagnostics/catalogue/files.js';
import type { Diagnostic } from './diagnostics/types.js';
import type { Program } from './ir/types.js';
import { type Host, HostError } from './source/host.js';
import { lookingOnce } from './source/looking-once.js';
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
  // 1. Parse.
  const loader = new ModuleLoader(host);
  let main: Module;
  try {
    main = loader.main(file);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { diagnostics: [hostError({ ...error, path: file })], sources: loader.sources };
  }

  // 2. Declare.
  const overrides = overridesFrom(options.params);
  const folder = dirname(resolve(host.cwd, file));
  const world = { host, folder };
  const sweep = readMatrices(main, loader, world, overrides);
  const declared = sweep.bindings.map((binding) => new Declarations(loader, world, overrides, binding));
  const contexts = declared.map((declarations) => declarations.context(main, true));
  const [declarations, context] = [declared[0], contexts[0]];
  if (declarations === undefined || context === undefined) throw new Error('there is no combination');
  const declaredParams = [...main.tree.params, ...main.tree.matrices].map(({ name }) => name.text);
  checkOverrides(overrides, declaredParams, context);

  // 3. Check.
  for (const imported of declarations.all()) if (imported !== context) evaluateParams(imported);
  const params = evaluateParams(context, (name) => sweep.open.has(name) || isOpen(name, sweep.axes));
  const blocks = checkBlocks(main, context);
  const cycles = findCycles(blocks.stages);
  context.diagnostics.push(...cycles);

  // 4. Spread.
  const others = contexts
    .slice(1)
    .map((other) => checkBlocks(main, other, (stage) => isOpen(stage, sweep.axes)));
  const all = [blocks, ...others];
  const stages = cycles.length > 0 ? blocks.stages : spread(sweep, all);

  // 5. Wire.
  const wired = cycles.length > 0 ? stages : fillTokenizers(stages, (found) => context.report(found));
  if (cycles.length === 0)
    context.diagnostics.push(...checkConsistency(wired, blocks.budgets, main.tree, world));
  const checks = (): readonly Diagnostic[] => [
    ...(options.params?.[FILES]?.diagnostics ?? []),
    ...sweep.diagnostics,
    ...declared.flatMap((one) => one.all()).flatMap(({ diagnostics }) => diagnostics),
  ];
  // What an erroneous line would have used is not unused.
  if (![...loader.diagnostics, ...checks()].some(isError))
    context.diagnostics.push(
      ...unusedImports(main, context.scope),
      ...unusedDeclarations(main, context.scope),
      ...stagesWithoutEffect(blocks.stages, main),
      ...leftOut(sweep, blocks.stages),
      ...blanksInTexts(main, context.scope),
    );

  const diagnostics = onePerMistake(loader.diagnostics, checks(), main.tree, loader.sources);
  const analysis: Analysis = {
    main,
    context,
    contexts: declarations.byFile(),
    modules: loader.byFile(),
    stages: wired,
  };
  if (diagnostics.some(isError))
    return { analysis, diagnostics: firstOf(diagnostics, file), sources: loader.sources };

  // 6. Order.
  const program: Program = {
    file,
    name: basename(file).replace(/\.ftp$/, ''),
    folder,
    stages: inOrder(wired).map(({ checked, inputs }) => ({ ...checked.stage, inputs })),
    budgets: spreadBudgets(sweep, all),
    params,
    doc: main.tree.doc,
  };
  return { program, analysis, diagnostics, sources: loader.sources };
}

/** Mistakes that are shown of one pipeline: a file of another kind has more than anyone reads. */
const MOST = 200;

const firstOf = (diagnostics: readonly Diagnostic[], file: string): readonly Diagnostic[] =>
  diagnostics.length <= MOST
    ? diagnostics
    : [...diagnostics.slice(0, MOST), tooManyMistakes(file, diagnostics.length - MOST)];

const isError = ({ severity }: Diagnostic): boolean => severity === 'error';
