/** The page of a pipeline as Markdown. */
import { bytes } from '../../../pipeline/planner/quantities.js';
import { mermaid } from '../graph/index.js';
import { table } from './markdown-table.js';
import type { Page, PageSource, PageStage } from './page.js';

export function markdownPage(page: Page): string {
  const sections = [
    `# ${line(page.name)}`,
    `<!-- Written by \`ftpc docs ${page.file.replaceAll('--', '- -')}\`. -->`,
    prose(page.doc),
    `## How to run it\n\n${fenced(page.commands.map(([command, what]) => `${command}    # ${what}`).join('\n'), 'sh')}`,
    params(page),
    secrets(page),
    `## What it does\n\n${fenced(mermaid(page.graph), 'mermaid')}`,
    sources(page.sources),
    `## Stages\n\n${page.stages.map(stage).join('\n\n')}`,
    gates(page),
    plan(page),
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

function params({ params }: Page): string {
  if (params.length === 0) return '';
  const rows = params.map(({ name, type, text, doc, usedBy }) => [
    code(name),
    code(type),
    code(text),
    prose(doc),
    usedBy.map(code).join(', '),
  ]);
  return `## Parameters\n\nGiven with \`-p name=value\`.\n\n${table(['parameter', 'type', 'value', '', 'decides'], rows)}`;
}

function secrets({ secrets }: Page): string {
  if (secrets.length === 0) return '';
  const rows = secrets.map(({ name, env, doc }) => [code(name), code(`$${env}`), prose(doc)]);
  return `## Secrets\n\nRead from the environment where ftpc runs; shown, hashed and stored nowhere.\n\n${table(['secret', 'read from', ''], rows)}`;
}

function sources(found: readonly PageSource[]): string {
  if (found.length === 0) return '';
  const rows = found.map(({ stage, pattern, files }) => [
    code(pattern),
    code(stage),
    `${files.length}`,
    bytes(files.reduce((sum, file) => sum + file.bytes, 0)),
  ]);
  return `## Files that it reads\n\n${table(['files', 'stage', 'number', 'size'], rows)}`;
}

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

function gates({ stages }: Page): string {
  const rows = stages.flatMap(({ name, requires }) => requires.map((require) => [code(name), code(require)]));
  return rows.length === 0
    ? ''
    : `## Gates\n\nWhere one does not hold, nothing that depends on the stage runs.\n\n${table(['stage', 'requires'], rows)}`;
}

function plan({ budgets, machine, totals }: Page): string {
  const rows = budgets.map(({ name, require, value, holds }) => [
    code(name),
    code(require),
    value,
    holds === null ? '?' : holds ? 'holds' : '**exceeded**',
  ]);
  const limits = rows.length === 0 ? '' : `\n\n${table(['budget', 'requires', 'planned', ''], rows)}`;
  return `## Plan\n\nFor ${line(machine)}. ${totals}${limits}`;
}
