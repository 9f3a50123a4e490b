import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { left, table } from '../html/page.js';
import type { ReportInput } from './input.js';

/** Which trackers have the trainings of the run, and which do not, and why. */
export const tracked = ({ tracked: found = [] }: ReportInput): Markup =>
  found.length === 0
    ? nothing
    : html`<h2>Trackers</h2>
${table(
  'Trackers',
  left('training', 'tracker', 'state', 'where or why not'),
  found.map(({ stage, tracker, state, where, problem }) => [
    stage,
    tracker,
    html`<b class="${state === 'delivered' ? 'holds' : 'failed'}">${state === 'delivered' ? 'delivered' : 'not delivered'}</b>`,
    state === 'delivered' ? (where ?? '') : (problem ?? ''),
  ]),
)}`;
