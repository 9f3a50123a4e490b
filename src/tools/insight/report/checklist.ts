import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { left, prose, table } from '../html/page.js';
import { placeText } from '../settings/setting-places.js';
import type { ReportInput } from './input.js';

const STATES = {
  done: 'done',
  open: 'open',
  waiting: 'waits for a run',
  unknown: 'cannot be known',
} as const;

/** The production checklist as it is after the run. */
export function productionChecklist({ checklist }: ReportInput): Markup {
  if (checklist === undefined) return nothing;
  const { items, done, open, waiting, unknown } = checklist;
  return html`<h2>Production checklist</h2>
<p class="soft">${done} done, ${open} open, ${waiting} waiting for a run, ${unknown} that cannot be known from here.</p>
${table(
  'Production checklist',
  left('item', 'answer', 'evidence, or what to do'),
  items.map(({ text, state, evidence, todo }) => [
    text,
    state === 'open' ? html`<b class="failed">${STATES[state]}</b>` : STATES[state],
    prose(
      [
        ...evidence.map(({ text: said, at }) => (at === undefined ? said : `${placeText(at)}: ${said}`)),
        ...(todo === undefined ? [] : [todo]),
      ].join('; '),
    ),
  ]),
)}`;
}
