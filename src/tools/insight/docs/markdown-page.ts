/** The page of a pipeline as Markdown. */
import { mermaid } from '../graph/index.js';
import { table } from './markdown-table.js';
import type { Page, PageStage } from './page.js';
import { type Cell, type PageTable, tablesOf } from './page-tables.js';

export function markdownPage(page: Page): string {
  const tables = tablesOf(page);
  const sections = [
    `# ${line(page.name)}`,
    `<!-- Written by \`ftpc docs ${page.file.replaceAll('--', '- -')}\`. -->`,
    prose(page.doc),
    `## How to run it\n\n${fenced(page.commands.map(([command, what]) => `${command}    # ${what}`).join('\n'), 'sh')}`,
    section(tables.params),
    section(tables.secrets),
    `## What it does\n\n${fenced(mermaid(page.graph), 'mermaid')}`,
    section(tables.files),
    `## Stages\n\n${page.stages.map(stage).join('\n\n')}`,
    section(tables.gates),
    `## Plan\n\nFor ${line(page.machine)}. ${page.totals}`,
    tables.budgets === undefined ? '' : cells(tables.budgets),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

/** A fence longer than any in the text. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** Code, whatever signs it has. */
function code(text: string): string {
  const plain = line(text);
  if (!plain.includes('`')) return `\`${plain}\``;
  const longest = Math.max(...[...plain.matchAll(/`+/g)].map(([run]) => run.length));
  const marks = '`'.repeat(longest + 1);
  return `${marks} ${plain} ${marks}`;
}

/** Doc comments are Markdown, but no HTML. */
const prose = (text: string | null | undefined): string =>
  (text ?? '')
    .split('`')
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll('<', '&lt;')))
    .join('`');

const line = (text: string): string => text.replace(/\s+/g, ' ').trim();

function cell(content: Cell): string {
  if ('text' in content) return content.text;
  if ('doc' in content) return prose(content.doc);
  if ('names' in content) return content.names.map(code).join(', ');
  if ('code' in content) return code(content.code);
  return content.holds === null ? '?' : content.holds ? 'holds' : '**exceeded**';
}

const cells = ({ columns, rows }: PageTable): string =>
  table(
    columns.map(({ title }) => title),
    rows.map((row) => row.map(cell)),
  );

/** A table under its own heading. */
const section = (shown: PageTable | undefined): string =>
  shown === undefined ? '' : [`## ${shown.title}`, shown.note ?? [], cells(shown)].flat().join('\n\n');

function stage({ name, kind, doc, facts, settings, defaults, requires, findings }: PageStage): string {
  const rows = settings.map(({ path, text, setBy }) => [code(path), code(text), setBy]);
  return [
    `### ${kind} ${code(name)}`,
    prose(doc),
    facts.map(([title, text]) => `- ${title}: ${line(text)}`).join('\n'),
    rows.length === 0 ? '' : table(['setting', 'value', 'set by'], rows),
    requires.length === 0 ? '' : `Requires ${requires.map(code).join(', ')}.`,
    defaults.length === 0
      ? ''
      : `Left as they are: ${defaults.map(({ path, text }) => code(`${path} = ${text}`)).join(', ')}.`,
    findings.map((finding) => `> ${prose(line(finding))}`).join('\n>\n'),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}
