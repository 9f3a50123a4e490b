/** A checklist for a terminal. */
import type { Palette } from '../../../pipeline/planner/render/columns.js';
import { wrapped } from '../../../pipeline/planner/render/wrapped.js';
import { printable } from '../safe-text.js';
import { placeText } from '../settings/setting-places.js';
import type { Checklist } from './checklist.js';
import { PHASES } from './items.js';

const MARKS = { done: '✓', open: '✗', waiting: '…', unknown: '?' } as const;

export function checklistText(list: Checklist, palette: Palette, width: number): readonly string[] {
  const { bold, dim, red, green, yellow } = palette;
  const colour = { done: green, open: red, waiting: dim, unknown: yellow };
  const below = (text: string): readonly string[] =>
    wrapped(printable(text), width - 4).map((line) => `    ${line}`);
  const lines = PHASES.flatMap((phase) => [
    bold(`${phase[0]?.toUpperCase()}${phase.slice(1)}`),
    ...list.items
      .filter((item) => item.phase === phase)
      .flatMap(({ state, text, evidence, todo }) => [
        `  ${colour[state](MARKS[state])} ${text}`,
        ...evidence.flatMap(({ text: said, at }) =>
          below(at === undefined ? said : `${placeText(at)}: ${said}`).map(dim),
        ),
        ...(todo === undefined ? [] : below(`→ ${todo}`)),
      ]),
    '',
  ]);
  return [
    ...lines,
    `${list.done} done, ${list.open} open, ${list.waiting} waiting for a run, ${list.unknown} that cannot be known from here`,
  ];
}
