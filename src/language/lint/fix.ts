/** Fixes made until there are none: in memory, checked again after each round, and nothing kept that brings a new error. */
import { resolve } from 'node:path';
import type { CompileOptions } from '../compile.js';
import { applyEdits, together } from '../diagnostics/apply.js';
import type { Diagnostic, Fix } from '../diagnostics/types.js';
import type { Host } from '../host/host.js';
import { type Checked, checked } from './checked.js';

export interface FixOptions extends CompileOptions {
  /** Also fixes that may not be what is meant, where a diagnostic has exactly one. */
  readonly guesses: boolean;
  /** Only what these diagnostics say; left out: all. */
  readonly codes?: readonly string[];
}

export interface Fixed {
  /** Files that changed: the pipeline, and files of the project that it imports. */
  readonly files: readonly {
    /** As diagnostics name it. */
    readonly file: string;
    readonly path: string;
    readonly before: string;
    readonly after: string;
  }[];
  readonly fixed: readonly Candidate[];
  /** Of the text as it was. */
  readonly before: Checked;
  /** Of the text with the fixes. */
  readonly after: Checked;
}

export interface Candidate {
  readonly diagnostic: Diagnostic;
  readonly fix: Fix;
}

/** A fix shows what was hidden behind its mistake; more rounds than this have no end. */
const MOST_ROUNDS = 100;

export function applyFixes(host: Host, file: string, options: FixOptions): Fixed {
  const texts = new Map<string, string>();
  const world: Host = { ...host, readText: (path) => texts.get(resolve(path)) ?? host.readText(path) };
  const check = (): Checked => checked(world, file, options);
  const before = check();
  const refused = new Set<string>();
  const fixed: Candidate[] = [];
  let now = before;
  /** The largest part that can be made; what cannot be made alone is not tried again. */
  const make = (batch: readonly Candidate[]): readonly Candidate[] => {
    const made = attempt(batch, now, texts, check);
    if (made !== undefined) now = made;
    if (made !== undefined) return batch;
    const [only] = batch;
    if (only !== undefined && batch.length === 1) refused.add(keyOf(only));
    if (batch.length < 2) return [];
    const half = Math.ceil(batch.length / 2);
    const done = make(batch.slice(0, half));
    // Places have moved: the other half is for the next round.
    return done.length > 0 ? done : make(batch.slice(half));
  };
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const wanted = candidates(now, options).filter((one) => !refused.has(keyOf(one)));
    if (wanted.length === 0) break;
    fixed.push(...make(together(wanted)));
  }
  return { files: changed(texts, before), fixed, before, after: now };
}

const keyOf = ({ diagnostic, fix }: Candidate): string =>
  JSON.stringify([diagnostic.code, diagnostic.message, fix.title]);

function candidates(
  { diagnostics, compiled }: Checked,
  { guesses, codes }: FixOptions,
): readonly Candidate[] {
  const modules = compiled.analysis?.modules;
  return diagnostics.flatMap((diagnostic) => {
    const isAsked = codes === undefined || codes.includes(diagnostic.code);
    const fixes = isAsked ? (diagnostic.fixes ?? []) : [];
    const certain = fixes.find(({ applicability }) => applicability === 'safe');
    const likely = fixes.filter(({ applicability }) => applicability === 'maybe_incorrect');
    const fix = certain ?? (guesses && likely.length === 1 ? likely[0] : undefined);
    const isOurs = fix?.edits.every(({ span }) => modules?.get(span.file)?.isLibrary === false);
    return fix !== undefined && isOurs === true ? [{ diagnostic, fix }] : [];
  });
}

/** The texts with these fixes, where they fix what they say and break nothing; else nothing has happened. */
function attempt(
  batch: readonly Candidate[],
  now: Checked,
  texts: Map<string, string>,
  check: () => Checked,
): Checked | undefined {
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
  batch: readonly Candidate[],
  before: readonly Diagnostic[],
  after: readonly Diagnostic[],
): boolean {
  const [had, has] = [counted(before), counted(after)];
  const wanted = counted(batch.map(({ diagnostic }) => diagnostic));
  for (const [key, count] of wanted) if ((has.get(key) ?? 0) > (had.get(key) ?? 0) - count) return false;
  // What was hidden behind a mistake is not new: a later phase had not reached it.
  const phase =
    batch
      .map(({ diagnostic }) => phaseOf(diagnostic))
      .sort()
      .at(-1) ?? '';
  return !after.some(
    (found) =>
      found.severity === 'error' &&
      phaseOf(found) <= phase &&
      (has.get(nameOf(found)) ?? 0) > (had.get(nameOf(found)) ?? 0),
  );
}

/** `01` syntax, `02` names, `03` values, …: the hundreds of a code. */
const phaseOf = ({ code }: Diagnostic): string => code.slice(3, 5);

const nameOf = ({ code, message }: Diagnostic): string => `${code} ${message}`;

function counted(diagnostics: readonly Diagnostic[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const found of diagnostics) counts.set(nameOf(found), (counts.get(nameOf(found)) ?? 0) + 1);
  return counts;
}

function changed(texts: ReadonlyMap<string, string>, { compiled }: Checked): Fixed['files'] {
  const modules = [...(compiled.analysis?.modules.values() ?? [])];
  return [...texts].flatMap(([path, after]) => {
    const module = modules.find((known) => resolve(known.path) === path);
    if (module === undefined || module.source.text === after) return [];
    return [{ file: module.source.file, path, before: module.source.text, after }];
  });
}
