/** The graph of the stages: inputs, cycles, order. */

import { type CycleReference, stageCycle } from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { namesIn } from '../ir/expression.js';
import type { Expression, Reference, Value } from '../ir/program.js';
import { isList, isRecord, isReference } from '../ir/values.js';
import { isComparisonName } from '../schemas/comparisons.js';
import type { CheckedStage } from './stages.js';

/** Stages that a value refers to, in order. */
export function references(value: Value): readonly Reference[] {
  const found: Reference[] = [];
  collect(value, found);
  return found;
}

function collect(value: Value, found: Reference[]): void {
  if (isReference(value)) found.push(value);
  else if (isList(value)) for (const item of value) collect(item, found);
  else if (isRecord(value)) for (const key in value) collect(value[key] ?? null, found);
}

/** Names of the stages that a stage reads, in order of its schema; then those whose metrics it requires something of. */
function inputsOf({ stage, schema }: CheckedStage): readonly string[] {
  const found: Reference[] = [];
  for (const key in schema.settings) collect(stage.settings[key] ?? null, found);
  const measured = stage.requires.flatMap(({ condition }) => stagesIn(condition));
  return [...new Set([...found.map((reference) => reference.stage), ...measured])];
}

/** Stages whose metrics a condition refers to. */
const stagesIn = (condition: Expression): readonly string[] =>
  namesIn(condition).flatMap(({ path: [first = '', second] }) =>
    second === undefined || isComparisonName(first) ? [] : [first],
  );

/** Stages that wait for each other: one error per cycle, with its path. */
export function findCycles(stages: readonly CheckedStage[]): readonly Diagnostic[] {
  const byName = new Map(stages.map((checked) => [checked.stage.name, checked]));
  const state = new Map<string, 'open' | 'done'>();
  const found: Diagnostic[] = [];
  const path: CycleReference[] = [];
  const visit = (step: CycleReference): void => {
    const checked = byName.get(step.name);
    if (checked === undefined || state.has(step.name)) return;
    state.set(step.name, 'open');
    path.push(step);
    for (const { stage, span } of checked.uses) {
      const next: CycleReference = { name: stage, at: span };
      const from = path.findIndex(({ name }) => name === stage);
      if (state.get(stage) === 'open') found.push(stageCycle([...path.slice(from + 1), next]));
      else visit(next);
    }
    path.pop();
    state.set(step.name, 'done');
  };
  for (const { stage } of stages) visit({ name: stage.name, at: stage.span });
  return found;
}

/** Every stage after its inputs, with their names; ties in source order. The graph has no cycle. */
export function inOrder(
  stages: readonly CheckedStage[],
): readonly { readonly checked: CheckedStage; readonly inputs: readonly string[] }[] {
  const places = new Map(stages.map(({ stage }, place) => [stage.name, place]));
  const readers = stages.map((): number[] => []);
  const waiting = stages.map((checked) => ({ checked, inputs: inputsOf(checked) }));
  const missing = waiting.map(({ inputs }, place) => {
    const from = inputs.flatMap((name) => places.get(name) ?? []);
    for (const input of from) readers[input]?.push(place);
    return from.length;
  });
  /** Places of stages whose inputs are in `ordered`, the last ones first. */
  const ready = [...stages.keys()].filter((place) => missing[place] === 0).reverse();
  const ordered: (typeof waiting)[number][] = [];
  for (let place = ready.pop(); place !== undefined; place = ready.pop()) {
    ordered.push(...waiting.slice(place, place + 1));
    for (const reader of readers[place] ?? []) {
      const left = (missing[reader] ?? 0) - 1;
      missing[reader] = left;
      if (left === 0) insertDescending(ready, reader);
    }
  }
  return ordered;
}

function insertDescending(places: number[], place: number): void {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) > place) low = middle + 1;
    else high = middle;
  }
  places.splice(low, 0, place);
}
