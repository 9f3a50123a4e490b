/** One page about a run; everything from outside is escaped. */
import { html } from '../html/markup.js';
import { page } from '../html/page.js';
import { STYLE } from '../html/style.js';
import type { ReportInput } from './input.js';
import { data } from './sections/data.js';
import { evaluation } from './sections/evaluation.js';
import { manifest } from './sections/manifest.js';
import { memory } from './sections/memory.js';
import { summary } from './sections/summary.js';
import { training } from './sections/training.js';

const SECTIONS = [summary, training, evaluation, data, memory, manifest] as const;

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
