/** The look of every page, light or dark as the reader's system is. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5d6778; --line: #d9dee7; --paper: #ffffff; --card: #f6f8fb;
  --s0: #2563c9; --s1: #c2570c; --s2: #2f855a; --good: #1f7a4d; --bad: #b3261e; --warn: #96660a; --note: #0e7490; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ef; --soft: #9aa5b8; --line: #323b4b; --paper: #12161d; --card: #1a202a;
    --s0: #78a9ff; --s1: #f5a25d; --s2: #6fcf97; --good: #6fcf97; --bad: #ff8a80; --warn: #e9bd5b; --note: #67d4e8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 24px; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 40px 0 12px; padding-top: 12px; border-top: 1px solid var(--line); }
h3 { font-size: 15px; margin: 22px 0 8px; }
p { margin: 6px 0; max-width: 75ch; }
.soft { color: var(--soft); }
.cards { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0 8px; }
.card { background: var(--card); border-radius: 8px; padding: 10px 16px; min-width: 130px; }
.card b { display: block; font-size: 20px; font-weight: 600; }
.card span { color: var(--soft); font-size: 13px; }
.scroll { overflow-x: auto; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
:focus-visible { outline: 2px solid var(--s0); outline-offset: 2px; }
table { border-collapse: collapse; margin: 8px 0; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--soft); }
tbody th { color: var(--ink); font-weight: 400; } tbody th code { overflow-wrap: normal; }
th, td { padding: 5px 18px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { overflow-wrap: anywhere; } .whole { white-space: nowrap; } .planner { color: var(--s1); }
dl { margin: 8px 0; } dd { margin: 0; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; }
dl.facts dt { color: var(--soft); } dl.facts dd { overflow-wrap: anywhere; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: var(--card); padding: 10px 14px; border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; margin: 4px 0; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); gap: 20px; }
figure { margin: 0; } figcaption { font-weight: 600; font-size: 14px; margin-bottom: 4px; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
.chart svg text { font-size: 12px; } .chart svg text.name { font-size: 13px; }
.grid { stroke: var(--line); stroke-width: 1; } .axis { stroke: var(--soft); stroke-width: 1; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; } .dashed { stroke-dasharray: 4 3; }
path.s0 { stroke: var(--s0); } path.s1 { stroke: var(--s1); } path.s2 { stroke: var(--s2); }
circle.s0 { fill: var(--s0); } circle.s1 { fill: var(--s1); } circle.s2 { fill: var(--s2); }
.hover { fill: transparent; } .hover:hover { fill: var(--s0); } .bar { fill: var(--s0); } .bar:hover { fill: var(--s1); }
.legend { font-weight: 400; margin-left: 14px; } .key { margin-right: 12px; color: var(--soft); }
.key::before { content: ""; display: inline-block; width: 14px; height: 3px; margin: 0 6px 3px 0; }
.key.s0::before { background: var(--s0); } .key.s1::before { background: var(--s1); } .key.s2::before { background: var(--s2); }
.status { font-weight: 600; } .done, .holds { color: var(--good); } .cached { color: var(--note); }
.failed, .gate_failed, .budget_exceeded, .error { color: var(--bad); } .blocked, .interrupted, .warning { color: var(--warn); }
h4 { font-size: 14px; margin: 18px 0 6px; } li { overflow-wrap: anywhere; }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--soft); }
.sample { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 4px 12px; margin: 14px 0 24px; }
.sample div:first-child { grid-column: 1 / -1; } .sample dt { margin: 6px 0 2px; font-size: 13px; color: var(--soft); font-weight: 600; }
@media (max-width: 640px) {
  main { padding: 20px 14px 48px; }
  .chart svg text, .chart svg text.name { font-size: 17px; }
  table.stack, table.stack :is(tbody, tr, th, td) { display: block; width: 100%; }
  table.stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.stack tr { border-bottom: 1px solid var(--line); padding: 8px 0; }
  table.stack :is(th, td) { border: 0; padding: 1px 0; text-align: left; white-space: normal; overflow-wrap: anywhere; }
  table.stack tbody th { font-weight: 600; }
  table.stack td { position: relative; padding-left: 40%; min-height: 1.5em; }
  table.stack td::before { content: attr(data-title); position: absolute; left: 0; width: 38%; color: var(--soft); }
  table.stack td.empty { display: none; }
}
`;
