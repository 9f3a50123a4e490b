/** The page of a pipeline as one HTML file: no script, nothing loaded from anywhere, everything from outside escaped. */
import { svg } from '../graph/index.js';
import { html, Markup, nothing } from '../html/markup.js';
import { page as htmlFile } from '../html/page.js';
import { STYLE } from '../html/style.js';
import { left, table } from '../html/table.js';
import type { Page, PageStage } from './page.js';
import { type Cell, type PageTable, tablesOf } from './page-tables.js';
import { PAGE_STYLE } from './style.js';

export async function htmlPage(page: Page): Promise<string> {
  const picture = await svg(page.graph);
  const tables = tablesOf(page);
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
${section(tables.params)}${section(tables.secrets)}
<h2 id="graph">What it does</h2>
<figure class="graph">${new Markup(picture)}</figure>
${section(tables.files)}
<h2 id="stages">Stages</h2>
${page.stages.map(stage)}
${section(tables.gates)}<h2 id="plan">Plan</h2>
<p>For ${page.machine}. ${page.totals}</p>
${tables.budgets === undefined ? nothing : cells(tables.budgets)}
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

function cell(content: Cell): Markup | string {
  if ('text' in content) return content.text;
  if ('doc' in content) return content.doc;
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
    : html`<p>${inline(shown.note)}</p>
`
}${cells(shown)}`;

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
