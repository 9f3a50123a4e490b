/** The page of a pipeline as one HTML file: no script, nothing loaded from anywhere, everything from outside escaped. */
import { bytes } from '../../../pipeline/planner/quantities.js';
import { svg } from '../graph/index.js';
import { html, Markup, nothing } from '../html/markup.js';
import { page as htmlFile } from '../html/page.js';
import { STYLE } from '../html/style.js';
import { left, right, table } from '../html/table.js';
import type { Page, PageSource, PageStage } from './page.js';
import { PAGE_STYLE } from './style.js';

export async function htmlPage(page: Page): Promise<string> {
  const picture = await svg(page.graph);
  const body = html`<a class="skip" href="#stages">To the stages</a>
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
</main>`;
  return htmlFile(`${page.name} · ftpc`, `${STYLE}${PAGE_STYLE}`, body);
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

const code = (text: string): Markup => html`<code>${text}</code>`;

function params({ params }: Page): Markup {
  if (params.length === 0) return nothing;
  return html`<h2 id="params">Parameters</h2>
<p>Given with <code>-p name=value</code>.</p>
${table(
  'Parameters',
  left('parameter', 'type', 'value', 'what', 'decides'),
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
  left('secret', 'read from', 'what'),
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
  [...left('files', 'stage'), ...right('number', 'size')],
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
        left('setting', 'value', 'set by'),
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
${table('Gates', left('stage', 'requires'), rows)}`;
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
        [...left('budget', 'requires'), ...right('planned'), ...left('')],
        budgets.map(({ name, require, value, holds }) => [name, code(require), value, verdict(holds)]),
      )
}`;
}
