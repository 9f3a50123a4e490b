/**
 * Applies fixes in memory until none is left. The text is checked after each round, and fixes that cause a new error
 * are undone.
 */
import { resolve } from 'node:path';
import type { CompileOptions } from '../compile.js';
import { applyEdits, together } from '../diagnostics/apply.js';
import type { Diagnostic, Fix } from '../diagnostics/types.js';
import type { Host } from '../host/host.js';
import { type CheckResult, checkFile } from './check-file.js';

interface FixOptions extends CompileOptions {
  /** Also uncertain fixes, if a diagnostic has exactly one; never what a rule advises. */
  readonly guesses: boolean;
  /** Only fixes of these diagnostics; default: all. */
  readonly codes?: readonly string[];
}

export interface FixResult {
  /** Files that changed: the pipeline, and files of the project that it imports. */
  readonly files: readonly {
    /** Its name in diagnostics. */
    readonly file: string;
    readonly path: string;
    readonly before: string;
    readonly after: string;
  }[];
  readonly fixed: readonly CandidateFix[];
  /** Result for the original text. */
  readonly before: CheckResult;
  /** Result for the fixed text. */
  readonly after: CheckResult;
}

interface CandidateFix {
  readonly diagnostic: Diagnostic;
  readonly fix: Fix;
}

/** A fix can reveal errors that its mistake had hidden; more rounds than this would never end. */
const MOST_ROUNDS = 100;

export function applyFixes(host: Host, file: string, options: FixOptions): FixResult {
  const texts = new Map<string, string>();
  const edited: Host = { ...host, readText: (path) => texts.get(resolve(path)) ?? host.readText(path) };
  const check = (): CheckResult => checkFile(edited, file, options);
  const before = check();
  const refused = new Set<string>();
  const fixed: CandidateFix[] = [];
  let now = before;
  /** Applies the largest part of a batch that works; a fix that fails alone is not tried again. */
  const make = (batch: readonly CandidateFix[]): readonly CandidateFix[] => {
    const made = attempt(batch, now, texts, check);
    if (made !== undefined) now = made;
    if (made !== undefined) return batch;
    const [only] = batch;
    if (only !== undefined && batch.length === 1) refused.add(keyOf(only));
    if (batch.length < 2) return [];
    const half = Math.ceil(batch.length / 2);
    const done = make(batch.slice(0, half));
    // The spans have moved: the other half has to wait for the next round.
    return done.length > 0 ? done : make(batch.slice(half));
  };
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const wanted = candidates(now, options).filter((one) => !refused.has(keyOf(one)));
    if (wanted.length === 0) break;
    fixed.push(...make(together(wanted)));
  }
  return { files: changed(texts, before), fixed, before, after: now };
}

const keyOf = ({ diagnostic, fix }: CandidateFix): string =>
  JSON.stringify([diagnostic.code, diagnostic.message, fix.title]);

function candidates(
  { diagnostics, compiled }: CheckResult,
  { guesses, codes }: FixOptions,
): readonly CandidateFix[] {
  const modules = compiled.analysis?.modules;
  return diagnostics.flatMap((diagnostic) => {
    const isAsked = codes === undefined || codes.includes(diagnostic.code);
    const fixes = isAsked ? (diagnostic.fixes ?? []) : [];
    const certain = fixes.find(({ applicability }) => applicability === 'safe');
    // what a rule advises would change what a valid pipeline trains, which is for its author to decide
    const isAdvice = diagnostic.rule !== undefined;
    const likely = fixes.filter(({ applicability }) => applicability === 'maybe_incorrect' && !isAdvice);
    const fix = certain ?? (guesses && likely.length === 1 ? likely[0] : undefined);
    const isOurs = fix?.edits.every(({ span }) => modules?.get(span.file)?.isLibrary === false);
    return fix !== undefined && isOurs === true ? [{ diagnostic, fix }] : [];
  });
}

/** Applies the fixes if they fix their diagnostics and cause no error; otherwise, the texts stay as they were. */
function attempt(
  batch: readonly CandidateFix[],
  now: CheckResult,
  texts: Map<string, string>,
  check: () => CheckResult,
): CheckResult | undefined {
  const saved = new Map(texts);
  const edits = batch.flatMap(({ fix }) => fix.edits);
  for (const name of new Set(edits.map(({ span }) => span.file))) {
    const module = now.compiled.analysis?.modules.get(name);
    if (module === undefined) continue;
    const own = edits.filter(({ span }) => span.file === name);
    texts.set(resolve(module.path), applyEdits(module.source.text, own));
  }
  const next = check();
  if (isBetter(batch, now.diagnostics, next.diagnostics)) return next;
  texts.clear();
  for (const [path, text] of saved) texts.set(path, text);
  return undefined;
}

function isBetter(
  batch: readonly CandidateFix[],
  before: readonly Diagnostic[],
  after: readonly Diagnostic[],
): boolean {
  const [had, has] = [counted(before), counted(after)];
  const wanted = counted(batch.map(({ diagnostic }) => diagnostic));
  for (const [key, count] of wanted) {
    const left = (has.get(key) ?? 0) - (had.get(key) ?? 0);
    if (left > -count && (left > 0 || batch.some(({ fix }) => batch.length > 1 || isStill(key, fix, after))))
      return false;
  }
  // Errors of a later phase are not new: the mistake had hidden them.
  const phase =
    batch
      .map(({ diagnostic }) => phaseOf(diagnostic))
      .sort()
      .at(-1) ?? '';
  return !after.some(
    (found) =>
      found.severity === 'error' &&
      phaseOf(found) <= phase &&
      !isNext(found, batch) &&
      (has.get(nameOf(found)) ?? 0) > (had.get(nameOf(found)) ?? 0),
  );
}

/** Is the same said where the fix has been made? The next one of a line is said only when the first is fixed. */
const isStill = (key: string, fix: Fix, after: readonly Diagnostic[]): boolean =>
  after.some((found) => nameOf(found) === key && !isPast(found, fix));

/** The next mistake of this kind in a setting, which is said, and can be fixed, only when the one before it is fixed. */
const isNext = (found: Diagnostic, batch: readonly CandidateFix[]): boolean =>
  found.fixes?.some(({ applicability }) => applicability === 'safe') === true &&
  batch.some(({ diagnostic, fix }) => diagnostic.code === found.code && isPast(found, fix));

/** Whether it is about a place after the first edit. */
function isPast({ at }: Diagnostic, { edits }: Fix): boolean {
  const [first] = [...edits].sort((a, b) => a.span.start - b.span.start);
  if (first === undefined || at === undefined || !('start' in at)) return false;
  return at.file === first.span.file && at.start > first.span.start + first.text.length;
}

/** `01` syntax, `02` names, `03` values, …: the hundreds of a code. */
const phaseOf = ({ code }: Diagnostic): string => code.slice(3, 5);

const nameOf = ({ code, message }: Diagnostic): string => `${code} ${message}`;

function counted(diagnostics: readonly Diagnostic[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const found of diagnostics) counts.set(nameOf(found), (counts.get(nameOf(found)) ?? 0) + 1);
  return counts;
}

function changed(texts: ReadonlyMap<string, string>, { compiled }: CheckResult): FixResult['files'] {
  const modules = [...(compiled.analysis?.modules.values() ?? [])];
  return [...texts].flatMap(([path, after]) => {
    const module = modules.find((known) => resolve(known.path) === path);
    if (module === undefined || module.source.text === after) return [];
    return [{ file: module.source.file, path, before: module.source.text, after }];
  });
}
