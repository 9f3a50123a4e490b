import draw, { type Drawing } from 'railroad-diagrams';
import { production } from './ebnf.js';
import type { Form } from './form.js';
import { lexicalRules, type Production, rules } from './model.js';

/** One page that needs nothing else: light or dark as the reader's system is. */
const STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5d6778; --line: #d9dee7; --paper: #ffffff; --card: #f6f8fb;
  --rail: #7b8798; --token: #dbeafe; --rule: #fdf0d5; --link: #1d4ed8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ef; --soft: #9aa5b8; --line: #323b4b; --paper: #12161d; --card: #1a202a;
    --rail: #6b778a; --token: #1e3a5f; --rule: #4a3a17; --link: #8ab4ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 24px; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 40px 0 12px; padding-top: 12px; border-top: 1px solid var(--line); }
h3 { font: 600 15px/1.4 ui-monospace, monospace; margin: 28px 0 2px; }
p { margin: 6px 0; max-width: 80ch; } .soft { color: var(--soft); }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
nav a { display: inline-block; margin: 0 12px 4px 0; font: 13px/1.45 ui-monospace, monospace; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { background: var(--card); padding: 8px 12px; border-radius: 8px; white-space: pre-wrap; margin: 4px 0; }
.scroll { overflow-x: auto; }
svg { display: block; } section:target h3 { color: var(--link); }
svg path { stroke: var(--rail); stroke-width: 1.6; fill: none; }
svg text { fill: var(--ink); font: 13px ui-monospace, monospace; text-anchor: middle; }
svg rect { stroke: var(--rail); stroke-width: 1.2; fill: var(--token); }
svg a rect { fill: var(--rule); } svg a:hover rect { stroke: var(--link); stroke-width: 2; }
`;

/** `docs/grammar.html`: a diagram for every rule, and its EBNF below. */
export function railroadPage(): string {
  const [syntax, lexis] = [rules(), lexicalRules()];
  const known = new Set([...syntax, ...lexis].map(({ name }) => name));
  const index = (productions: readonly Production[]): string =>
    `<nav>${productions.map(({ name }) => `<a href="#${name}">${name}</a>`).join('\n')}</nav>`;
  const sections = (productions: readonly Production[]): string =>
    productions.map((rule) => section(rule, known)).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The grammar of .ftp files</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>The grammar of <code>.ftp</code> files</h1>
<p class="soft">Drawn from the parser by <code>npm run grammar</code>; <code>grammar/ftp.ebnf</code> says the same as
text. Blue boxes are written literally; the others link to their rule.</p>
<p>Spaces and comments are allowed between the tokens of a rule. A line end is a token only outside of
<code>( )</code>, <code>[ ]</code> and <code>{ }</code> of expressions: inside them lines break freely. Two statements
of a body need a line end or a comma between them.</p>
<h2>Rules</h2>
${index(syntax)}
${sections(syntax)}
<h2>Tokens</h2>
<p class="soft">Nothing is allowed between the parts of a token.</p>
${index(lexis)}
${sections(lexis)}
</main>
</body>
</html>
`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function section(rule: Production, known: ReadonlySet<string>): string {
  const doc =
    rule.doc === undefined ? '' : `<p>${escaped(rule.doc).replace(/`([^`]+)`/g, '<code>$1</code>')}</p>\n`;
  const { doc: _, ...undocumented } = rule;
  return `<section id="${rule.name}">
<h3>${rule.name}</h3>
${doc}<div class="scroll">
${linked(draw.Diagram(diagram(rule.form)).toString(), known)}</div>
<pre>${escaped(production(undocumented))}</pre>
</section>`;
}

/** The library draws boxes for rules with square corners, and knows no links. */
const linked = (svg: string, known: ReadonlySet<string>): string =>
  svg
    .replace(/<path d="M[\d.]+ [\d.]+h0"><\/path>\n/g, '')
    .replace(/<rect [^>]*(?<!ry="10")><\/rect>\n<text [^>]*>([^<]+)<\/text>/g, (box, name: string) =>
      known.has(name) ? `<a href="#${name}">${box}</a>` : box,
    );

function diagram(form: Form): Drawing {
  switch (form.kind) {
    case 'text':
    case 'characters':
      return draw.Terminal(form.text);
    case 'name':
      return draw.NonTerminal(form.name);
    case 'sequence':
      return draw.Sequence(...form.items.map(diagram));
    case 'choice':
      return draw.Choice(Math.floor((form.items.length - 1) / 2), ...form.items.map(diagram));
    case 'optional':
      return draw.Optional(diagram(form.item));
    case 'repeated':
      return form.atLeastOnce ? draw.OneOrMore(diagram(form.item)) : draw.ZeroOrMore(diagram(form.item));
    case 'list': {
      const separator = diagram(form.separator);
      return draw.Sequence(
        draw.OneOrMore(diagram(form.item), separator),
        draw.Optional(diagram(form.separator)),
      );
    }
  }
}
