/**
 * `matrix best: Search = search(random, trials: 20, by: quality.rouge_l)`: which combinations are tried, and what is
 * named by `best.`.
 */

import * as errors from '../diagnostics/catalogue/search.js';
import { metricNotListed } from '../diagnostics/catalogue/wiring.js';
import type { Search } from '../ir/program.js';
import type { SearchMethod } from '../ir/search-methods.js';
import { isCall, isReference } from '../ir/values.js';
import type { Span } from '../source/span.js';
import type { Matrix } from '../syntax/ast.js';
import type { Context } from './context.js';
import { share } from './draws.js';
import type { Axis, Binding } from './matrix.js';
import type { PortUse } from './scope.js';
import { evaluate } from './setting-value.js';
import { isSearch } from './winners.js';

/** A search before its trials are made. */
export interface SearchSettings extends Pick<Search, 'name' | 'span' | 'method' | 'by' | 'factor'> {
  /** What it is compared by, in the file. */
  readonly bySpan: Span;
  readonly seed: number;
  readonly asked: number;
}

/** The one search of a pipeline; `undefined` if there is none, or something is wrong with it, which has been reported. */
export function searchOf(matrices: readonly Matrix[], context: Context): SearchSettings | undefined {
  const [first, second] = matrices.filter(isSearch);
  if (first === undefined) return undefined;
  if (second !== undefined)
    return context.report(errors.severalSearches(second.name.span, second.name.text, first.name.span));
  const found = evaluate(first.value, { kind: 'call', family: 'search' }, context, undefined);
  if (!isCall(found)) return undefined;
  const { method, by, factor, trials, seed } = found.args;
  if (!isReference(by)) return undefined;
  return {
    name: first.name.text,
    span: first.name.span,
    method: method as SearchMethod,
    by,
    bySpan: bySpan(first),
    factor: Number(factor),
    seed: Number(seed),
    asked: Number(trials),
  };
}

const bySpan = ({ value, name }: Matrix): Span =>
  (value.kind === 'call'
    ? value.args.find((argument) => argument.name?.text === 'by')?.value.span
    : undefined) ?? name.span;

/** Draws after which no other combination is looked for, per trial. */
const TRIES = 50;

/** The combinations that are tried, each once. */
export function drawnTrials(
  axes: readonly Axis[],
  { seed, asked, span }: SearchSettings,
  context: Context,
): readonly Binding[] {
  const counts = axes.map(({ values, drawn }) =>
    drawn === undefined ? values.length : Number.POSITIVE_INFINITY,
  );
  if (counts.some((count) => count === 0)) return [];
  const combinations = counts.reduce((product, count) => product * count, 1);
  const found = new Map<string, Binding>();
  const wanted = Math.min(asked, combinations);
  for (let trial = 0; found.size < wanted && trial < TRIES * asked; trial++) {
    const binding = new Map(
      axes.flatMap(({ name, values, drawn }) => {
        const at = share(seed, trial, name);
        const value = drawn === undefined ? values[Math.floor(at * values.length)] : drawn(at);
        return value === undefined ? [] : [[name, value] as const];
      }),
    );
    const key = JSON.stringify([...binding].map(([name, { label }]) => [name, label]));
    if (!found.has(key)) found.set(key, binding);
  }
  if (found.size < asked && combinations > 1) context.report(errors.fewerTrials(span, found.size, asked));
  return [...found.values()];
}

/** A stage, as it is declared, with the names of searches in it. */
interface NamingStage {
  readonly name: string;
  readonly kind: string;
  readonly uses: readonly PortUse[];
  readonly validates: boolean;
  readonly measures: readonly string[] | undefined;
}

/** What is wrong with a search once it is known which stages depend on matrices. */
export function checkSearch(
  search: SearchSettings,
  stages: readonly NamingStage[],
  isOpen: (stage: string) => boolean,
  context: Context,
): void {
  if (!isOpen(search.by.stage)) context.report(errors.sameInEveryTrial(search.span, search.by.stage));
  const measures = stages.find(({ name }) => name === search.by.stage)?.measures;
  if (measures?.includes(search.by.port) === false)
    context.report(metricNotListed(search.bySpan, search.by.port, undefined, undefined));
  for (const { name, uses } of stages)
    for (const { winner, stage } of uses) {
      if (winner === undefined) continue;
      if (isOpen(name)) context.report(errors.winnerInTrial(winner, name, search.name));
      else if (!isOpen(stage)) context.report(errors.notTried(winner, search.name, stage));
    }
  if (search.method !== 'halving' || !isOpen(search.by.stage)) return;
  const trainings = trainingsOf(search, stages, isOpen);
  const [only, other] = trainings;
  if (only === undefined || other !== undefined || !only.validates)
    context.report(
      errors.nothingToHalve(
        search.span,
        trainings.map(({ name }) => name),
        only?.validates ?? false,
      ),
    );
}

/** Trainings that the metric of a search depends on, in each trial. */
export function trainingsOf(
  { by }: Pick<Search, 'by'>,
  stages: readonly NamingStage[],
  isOpen: (stage: string) => boolean,
): readonly NamingStage[] {
  const reached = new Set([by.stage]);
  for (const name of reached)
    for (const { stage } of stages.find((one) => one.name === name)?.uses ?? []) reached.add(stage);
  return stages.filter(({ name, kind }) => kind === 'train' && reached.has(name) && isOpen(name));
}
