/** A file of tests → tests whose names, types and settings have been checked; nothing is planned yet. */

import { dirname, join, relative, resolve } from 'node:path';
import type { Context } from '../../language/check/context.js';
import type { ParamValues } from '../../language/check/overrides.js';
import { unusedImports } from '../../language/check/unused.js';
import { type Analysis, type CompileResult, compile } from '../../language/compile.js';
import * as errors from '../../language/diagnostics/catalogue/tests.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { EngineName } from '../../language/ir/engines.js';
import type { SourceMap, SourceText } from '../../language/source/text.js';
import type { Test } from '../../language/syntax/ast.js';
import { errorCodes } from '../insight/error-pages.js';
import { conditionOf } from './condition.js';
import { machineOf, paramsOf, plainSettings, settingOf } from './settings.js';
import type { Expectation, TestCase } from './types.js';

export interface TestFile {
  readonly file: string;
  readonly cases: readonly TestCase[];
  /** With an error among them, none of the tests is to be believed. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: SourceMap;
}

export function readTests(host: Host, file: string): TestFile {
  const compiled = compile(host, file);
  const sources = new Map(compiled.sources);
  const { analysis } = compiled;
  if (analysis === undefined) return { file, cases: [], diagnostics: compiled.diagnostics, sources };
  const { context, main } = analysis;
  const before = context.diagnostics.length;
  const reader = new Reader(host, file, analysis, sources);
  const cases = main.tree.tests.flatMap((test) => reader.test(test) ?? []);
  reader.sameNames(main.tree.tests);
  const found = context.diagnostics.slice(before);
  // Only the tests say which imports they use.
  const unused = new Set(compiled.diagnostics.filter(({ code }) => code === UNUSED_IMPORT));
  const others = compiled.diagnostics.filter((one) => !unused.has(one));
  const diagnostics = [...others, ...found].sort((a, b) => offsetOf(a) - offsetOf(b));
  if (!diagnostics.some(isError)) diagnostics.push(...unusedImports(main, context.scope));
  return { file, cases: diagnostics.some(isError) ? [] : cases, diagnostics, sources };
}

const UNUSED_IMPORT = 'FTP0209';

const offsetOf = ({ at }: Diagnostic): number => (at !== undefined && 'start' in at ? at.start : 0);

class Reader {
  private readonly context: Context;
  private readonly source: SourceText;
  private readonly codes: readonly string[];
  /** Pipelines without parameters of a test. */
  private readonly plain = new Map<string, CompileResult>();
  /** The pipeline with the name of the file is not there, which has been reported. */
  private ownIsMissing = false;

  constructor(
    private readonly host: Host,
    private readonly file: string,
    { context, main }: Analysis,
    private readonly sources: Map<string, SourceText>,
  ) {
    this.context = context;
    this.source = main.source;
    this.codes = errorCodes(host);
  }

  /** `undefined` if something is wrong with it. */
  test(test: Test): TestCase | undefined {
    const { context } = this;
    const plain = plainSettings(test, context);
    const pipeline = this.pipelineOf(test);
    const base = pipeline === undefined ? undefined : this.compiledPlain(pipeline);
    if (pipeline === undefined || base?.analysis === undefined) return undefined;
    const [withParams, machine] = [settingOf(test, 'with'), settingOf(test, 'machine')];
    const params = withParams && paramsOf(withParams.value, base.analysis, context, this.source);
    const name = machine && machineOf(machine.value, base.analysis, context);
    const compiled = params === undefined ? base : this.compiled(pipeline, params);
    const runs = plain === undefined ? settingOf(test, 'run') !== undefined : plain['run'] === true;
    const expected = this.expectations(test, compiled, runs);
    if (expected.length === 0 && test.expectations.length === 0)
      context.report(errors.expectsNothing(test.name.span, test.name.text));
    if (plain?.['run'] === true) this.refuseMachines(test);
    if (plain === undefined) return undefined;
    return {
      file: this.file,
      name: test.name.text,
      span: test.span,
      compiled,
      expected,
      settings: {
        pipeline,
        params: params ?? {},
        machine: name,
        memoryBytes: plain['memory'] as number | undefined,
        devices: plain['devices'] as number | undefined,
        engine: plain['engine'] as EngineName | undefined,
        run: plain['run'] === true,
      },
    };
  }

  private refuseMachines(test: Test): void {
    for (const name of ['machine', 'devices', 'engine']) {
      const setting = settingOf(test, name);
      if (setting !== undefined) this.context.report(errors.runsHere(setting.key.span, name));
    }
  }

  private expectations(test: Test, { program }: CompileResult, runs: boolean): readonly Expectation[] {
    const insertAt = this.source.text.indexOf('{', test.name.span.end) + 1;
    const subject = { stages: program?.stages, runs, insertAt };
    return test.expectations.flatMap(({ condition }) => {
      const { context, source, codes } = this;
      const checked = conditionOf(condition, { subject, context, codes });
      return checked === undefined ? [] : [{ condition: checked, source }];
    });
  }

  private pipelineOf(test: Test): string | undefined {
    const setting = settingOf(test, 'pipeline')?.value;
    if (setting !== undefined && setting.kind !== 'string') return undefined;
    const own = this.file.replace(/\.test\.ftp$/, '.ftp');
    const path = setting === undefined ? own : join(dirname(this.file), setting.value);
    const absolute = resolve(this.host.cwd, path);
    if (this.host.stat(absolute)?.isFolder === false) return path;
    if (setting === undefined && this.ownIsMissing) return undefined;
    this.ownIsMissing ||= setting === undefined;
    const span = setting?.span ?? test.name.span;
    return this.context.report(errors.noPipeline(span, this.file, relative(this.host.cwd, absolute)));
  }

  private compiledPlain(pipeline: string): CompileResult {
    const found = this.plain.get(pipeline) ?? this.compiled(pipeline, {});
    this.plain.set(pipeline, found);
    return found;
  }

  private compiled(pipeline: string, params: ParamValues): CompileResult {
    const compiled = compile(this.host, pipeline, { params });
    // A parameter is wrong where the test gives it.
    for (const found of compiled.diagnostics)
      if (found.at?.file === this.source.file) this.context.report(found);
    for (const [name, source] of compiled.sources) this.sources.set(name, source);
    return compiled;
  }

  sameNames(tests: readonly Test[]): void {
    const first = new Map<string, Test>();
    for (const test of tests) {
      const before = first.get(test.name.text);
      if (before === undefined) first.set(test.name.text, test);
      else this.context.report(errors.sameTestName(test.name.span, test.name.text, before.name.span));
    }
  }
}
