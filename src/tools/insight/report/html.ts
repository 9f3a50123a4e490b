/** One self-contained page about a run: nothing is loaded from anywhere, everything from outside is escaped. */
import type { ReportInput } from './input.js';
import { html, Markup } from './markup.js';
import { data } from './sections/data.js';
import { evaluation } from './sections/evaluation.js';
import { manifest } from './sections/manifest.js';
import { memory } from './sections/memory.js';
import { summary } from './sections/summary.js';
import { training } from './sections/training.js';
import { STYLE } from './style.js';

const SECTIONS = [summary, training, evaluation, data, memory, manifest] as const;

export function renderReport(input: ReportInput): string {
  const started = input.events.find((event) => event.type === 'run.started');
  const title = started?.type === 'run.started' ? `${started.pipeline} · ftpc` : 'ftpc';
  return `${
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body><main>
${SECTIONS.map((section) => section(input))}
</main></body>
</html>`.text
  }\n`;
}
