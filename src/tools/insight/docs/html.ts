/** The page of a pipeline as one HTML file: no script, nothing loaded from anywhere, everything from outside escaped. */
import { bytes } from '../../../pipeline/planner/quantities.js';
import { svg } from '../graph/index.js';
import { html, Markup, nothing } from '../report/markup.js';
import { STYLE } from '../report/style.js';
import type { Page, PageSource, PageStage } from './page.js';
import { PAGE_STYLE } from './style.js';

export async function htmlPage(page: Page): Promise<string> {
  const picture = await svg(page.graph);
  const page_ = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.name} · ftpc</title>
<style>${new Markup(`${STYLE}${PAGE_STYLE}`)}</style>
</head>
<body>
<a class="skip" href="#stages">To the stages</a>
<main>
<h1>${page.name}</h1>
<p class="soft"><code>${page.file}</code></p>
${prose(page.doc)}
<h2 id="run">How to run it</h2>
<dl class="commands">${page.commands.map(
    ([line, what]) => html`<dt><code>${line}</code></dt><dd>${what}</dd>
`,
  )}</dl>
${params(page)}${secrets(page)}
<h2 id="graph">What it does</h2>
<figure class="graph">${new Markup(picture)}</figure>
${sources(page.sources)}
<h2 id="stages">Stages</h2>
${page.stages.map(stage)}
${gates(page)}${plan(page)}
</main></body>
</html>`;
  return `${page_.text}\n`;
}

/** Doc comments: paragraphs, and code between backticks. */
const prose = (text: string | undefined): Markup =>
  text === undefined
    ? nothing
    : html`${text.split(/\n\s*\n/).map(
        (paragraph) => html`<p>${inline(paragraph)}</p>
`,
      )}`;

const inline = (text: string): readonly (Markup | string)[] =>
  text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));

interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** The first cell of a row names it. */
function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly (Markup | string)[])[],
): Markup {
  const side = (index: number): string => (columns[index]?.right === true ? 'n' : '');
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><caption class="unseen">${caption}</caption>
<thead><tr>${columns.map(({ title }, index) => html`<th scope="col" class="${side(index)}">${title}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([
      first,
      ...cells
    ]) => html`<tr><th scope="row">${first}</th>${cells.map((cell, index) => html`<td class="${side(index + 1)}">${cell}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}

const code = (text: string): Markup => html`<code>${text}</code>`;

function params({ params }: Page): Markup {
  if (params.length === 0) return nothing;
  return html`<h2 id="params">Parameters</h2>
<p>Given with <code>-p name=value</code>.</p>
${table(
  'Parameters',
  [{ title: 'parameter' }, { title: 'type' }, { title: 'value' }, { title: 'what' }, { title: 'decides' }],
  params.map(({ name, type, text, doc, usedBy }) => [
    code(name),
    code(type),
    code(text),
    doc ?? '',
    usedBy.join(', '),
  ]),
)}`;
}

function secrets({ secrets }: Page): Markup {
  if (secrets.length === 0) return nothing;
  return html`<h2 id="secrets">Secrets</h2>
<p>Read from the environment where ftpc runs; shown, hashed and stored nowhere.</p>
${table(
  'Secrets',
  [{ title: 'secret' }, { title: 'read from' }, { title: 'what' }],
  secrets.map(({ name, env, doc }) => [code(name), code(`$${env}`), doc ?? '']),
)}`;
}

function sources(found: readonly PageSource[]): Markup {
  if (found.length === 0) return nothing;
  const size = (files: PageSource['files']): string =>
    bytes(files.reduce((sum, file) => sum + file.bytes, 0));
  return html`<h2 id="files">Files that it reads</h2>
${table(
  'Files',
  [{ title: 'files' }, { title: 'stage' }, { title: 'number', right: true }, { title: 'size', right: true }],
  found.map(({ stage, pattern, files }) => [code(pattern), stage, `${files.length}`, size(files)]),
)}`;
}

function stage({ name, kind, doc, facts, settings, defaults, requires, findings }: PageStage): Markup {
  return html`<section class="stage"><h3><span class="soft">${kind}</span> ${name}</h3>
${prose(doc)}
<dl class="facts">${facts.map(([title, text]) => html`<dt>${title}</dt><dd>${text}</dd>`)}</dl>
${
  settings.length === 0
    ? nothing
    : table(
        `Settings of ${name}`,
        [{ title: 'setting' }, { title: 'value' }, { title: 'set by' }],
        settings.map(({ path, text, setBy, doc }) => [
          html`<span title="${doc}">${path}</span>`,
          code(text),
          html`<span class="soft">${setBy}</span>`,
        ]),
      )
}
${requires.map(
  (require) => html`<p class="require">requires ${code(require)}</p>
`,
)}${findings.map(
  (finding) => html`<p class="finding">${finding}</p>
`,
)}${
  defaults.length === 0
    ? nothing
    : html`<details><summary>${defaults.length} more, left as they are</summary><dl class="facts">${defaults.map(
        ({ path, text }) => html`<dt>${path}</dt><dd>${code(text)}</dd>`,
      )}</dl></details>`
}</section>
`;
}

function gates({ stages }: Page): Markup {
  const rows = stages.flatMap(({ name, requires }) => requires.map((require) => [name, code(require)]));
  if (rows.length === 0) return nothing;
  return html`<h2 id="gates">Gates</h2>
<p>Where one does not hold, nothing that depends on the stage runs.</p>
${table('Gates', [{ title: 'stage' }, { title: 'requires' }], rows)}`;
}

function plan({ budgets, machine, totals }: Page): Markup {
  const verdict = (holds: boolean | null): Markup =>
    holds === null
      ? html`?`
      : holds
        ? html`<span class="holds">✓ holds</span>`
        : html`<span class="failed">✗ exceeded</span>`;
  return html`<h2 id="plan">Plan</h2>
<p>For ${machine}. ${totals}</p>
${
  budgets.length === 0
    ? nothing
    : table(
        'Budgets',
        [{ title: 'budget' }, { title: 'requires' }, { title: 'planned', right: true }, { title: '' }],
        budgets.map(({ name, require, value, holds }) => [name, code(require), value, verdict(holds)]),
      )
}`;
}
