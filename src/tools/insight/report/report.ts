/** One page about a run; everything from outside is escaped. */

import { html } from '../../../language/source/markup.js';
import { page } from '../html/page.js';
import { STYLE } from '../html/style.js';
import { productionChecklist } from './checklist.js';
import { data } from './data.js';
import { evaluation } from './evaluation.js';
import type { ReportInput } from './input.js';
import { manifest } from './manifest.js';
import { memory } from './memory.js';
import { ranSettings } from './ran-settings.js';
import { searched } from './search.js';
import { summary } from './summary.js';
import { tracked } from './tracked.js';
import { training } from './training.js';

/** One file each. */
const SECTIONS = [
  summary,
  searched,
  training,
  evaluation,
  productionChecklist,
  ranSettings,
  data,
  memory,
  tracked,
  manifest,
] as const;

export function renderReport(input: ReportInput): string {
  const started = input.events.find((event) => event.type === 'run.started');
  const title = started?.type === 'run.started' ? `${started.pipeline} · ftpc` : 'ftpc';
  return page(
    title,
    STYLE,
    html`<main>
${SECTIONS.map((section) => section(input))}
</main>`,
  );
}
