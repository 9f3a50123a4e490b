/** The page of a pipeline as one HTML file: no script, nothing loaded from anywhere, everything from outside escaped. */

import { html, Markup, nothing } from '../../../language/source/markup.js';
import { svg } from '../graph/index.js';
import { code, page as htmlFile, left, prose, table, together } from '../html/page.js';
import { STYLE } from '../html/style.js';
import type { Page, PageStage } from './page.js';
import { type Cell, type PageTable, tablesOf } from './page-tables.js';

export async function htmlPage(page: Page): Promise<string> {
  const picture = await svg(page.graph);
  const tables = tablesOf(page);
  const body = html`<a class="skip" href="#stages">To the stages</a>
<main>
<h1>${page.name}</h1>
<p class="soft"><code>${page.file}</code></p>
${paragraphs(page.doc)}
<h2 id="run">How to run it</h2>
<dl class="commands">${page.commands.map(
    ([line, what]) => html`<dt><code>${line}</code></dt><dd>${what}</dd>
`,
  )}</dl>
${section(tables.params)}${section(tables.secrets)}
<h2 id="graph">What it does</h2>
<figure class="graph">${new Markup(picture)}</figure>
${section(tables.files)}
<h2 id="stages">Stages</h2>
${page.stages.map(stage)}
${section(tables.gates)}<h2 id="plan">Plan</h2>
<p>For ${together(page.machine)}. ${together(page.totals)}</p>
${tables.budgets === undefined ? nothing : cells(tables.budgets)}
</main>`;
  return htmlFile(`${page.name} · ftpc`, `${STYLE}${PAGE_STYLE}`, body);
}

/** Doc comments: paragraphs, and code between backticks. */
const paragraphs = (text: string | undefined): Markup =>
  text === undefined
    ? nothing
    : html`${text.split(/\n\s*\n/).map(
        (paragraph) => html`<p>${prose(paragraph)}</p>
`,
      )}`;

function cell(content: Cell): Markup | string {
  if ('text' in content) return together(content.text);
  if ('doc' in content) return prose(content.doc);
  if ('names' in content) return content.names.join(', ');
  if ('code' in content) return code(content.code);
  if (content.holds === null) return '?';
  return content.holds
    ? html`<span class="holds">✓ holds</span>`
    : html`<span class="failed">✗ exceeded</span>`;
}

const cells = (shown: PageTable): Markup =>
  table(
    shown.title,
    shown.columns,
    shown.rows.map((row) => row.map(cell)),
  );

/** A table under its own heading. */
const section = (shown: PageTable | undefined): Markup =>
  shown === undefined
    ? nothing
    : html`<h2 id="${shown.id}">${shown.title}</h2>
${
  shown.note === undefined
    ? nothing
    : html`<p>${prose(shown.note)}</p>
`
}${cells(shown)}`;

function stage({ name, kind, doc, facts, settings, defaults, requires, findings }: PageStage): Markup {
  return html`<section class="stage"><h3><span class="soft">${kind}</span> ${name}</h3>
${paragraphs(doc)}
<dl class="facts">${facts.map(([title, text]) => html`<dt>${title}</dt><dd>${together(text)}</dd>`)}</dl>
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
  (finding) => html`<p class="finding">${prose(finding)}</p>
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

/** What the page of a pipeline has in addition to the look of every page. */
const PAGE_STYLE = `
.skip { position: absolute; left: -999px; } .skip:focus { left: 12px; top: 8px; background: var(--card); padding: 6px 10px; }
main { max-width: 900px; }
tbody th { font-weight: 500; }
dl.commands { background: var(--card); border-radius: 8px; padding: 10px 16px; }
dl.commands dd { color: var(--soft); margin-bottom: 8px; } dl.commands dd:last-child { margin-bottom: 0; }
dd, td { overflow-wrap: anywhere; } tbody th, td:last-child { white-space: nowrap; }
section.stage { background: var(--card); border-radius: 10px; padding: 4px 18px 12px; margin: 14px 0; }
section.stage h3 { font-size: 17px; margin: 12px 0 4px; }
.require { border-left: 3px solid var(--good); padding-left: 10px; }
.finding { border-left: 3px solid var(--warn); padding-left: 10px; }
figure.graph { overflow-x: auto; }
figure.graph svg { width: auto; max-width: 100%; height: auto; margin: 0 auto; }
figure.graph .node :is(polygon, path, ellipse, polyline) { stroke: var(--s0); fill: var(--card); }
figure.graph .node polyline { fill: none; }
figure.graph .node.input :is(polygon, path, ellipse, polyline) { stroke: var(--soft); }
figure.graph .node text { fill: var(--ink); } figure.graph .node.input text { fill: var(--soft); }
figure.graph .edge path { stroke: var(--soft); } figure.graph .edge polygon { stroke: var(--soft); fill: var(--soft); }
@media print { section.stage { break-inside: avoid; } }
`;
