/** The look of the dashboard, light or dark as the reader's system is. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5d6778; --line: #d9dee7; --paper: #ffffff; --card: #f6f8fb;
  --s0: #2563c9; --s1: #b04c06; --s2: #8b2fb0; --good: #1f7a4d; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ef; --soft: #9aa5b8; --line: #323b4b; --paper: #12161d; --card: #1a202a;
    --s0: #78a9ff; --s1: #f5a25d; --s2: #d9a0f5; --good: #6fcf97; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 24px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 10px; } h2 .soft { font-weight: 400; font-size: 14px; }
main > div > h2, main h2:not(section h2) { margin-top: 28px; }
p { margin: 4px 0 16px; } .soft { color: var(--soft); }
.releases { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 16px; }
section { background: var(--card); border-radius: 10px; padding: 16px; min-width: 0; }
.badge { font-size: 13px; font-weight: 600; border: 1px solid currentcolor; border-radius: 10px; padding: 1px 8px; }
.badge.current { color: var(--s0); } .badge.canary { color: var(--s1); } .badge.only { display: none; }
dl.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(108px, 1fr)); gap: 10px 12px; margin: 0 0 14px; }
dt { color: var(--soft); font-size: 13px; } dd { margin: 0; font-size: 18px; font-weight: 600; font-variant-numeric: tabular-nums; }
dd .soft { font-size: 12px; font-weight: 400; display: inline-block; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 360px), 1fr)); gap: 0 16px; }
figure { margin: 0 0 12px; } figcaption { font-size: 13px; font-weight: 600; }
.legend { font-weight: 400; margin-left: 10px; } .key { color: var(--soft); margin-right: 10px; }
.key::before { content: ""; display: inline-block; width: 18px; margin: 0 5px 3px 0; border-top: 2px solid var(--s0); }
.key.s1::before { border-top: 2px dashed var(--s1); } .key.s2::before { border-top: 2px dotted var(--s2); }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
.grid { stroke: var(--line); } .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
path.s0 { stroke: var(--s0); } path.s1 { stroke: var(--s1); stroke-dasharray: 5 3; } path.s2 { stroke: var(--s2); stroke-dasharray: 1 4; }
.scroll { overflow-x: auto; } :focus-visible { outline: 2px solid var(--s0); outline-offset: 2px; }
table { border-collapse: collapse; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--soft); } tbody th { color: var(--ink); }
th, td { padding: 6px 18px 6px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
form { display: flex; flex-wrap: wrap; gap: 10px; align-items: end; margin: 20px 0; } form[hidden] { display: none; }
label { display: block; font-weight: 600; } input, button { font: inherit; color: inherit; padding: 6px 12px; border-radius: 6px; border: 1px solid var(--soft); background: var(--paper); }
button { background: var(--s0); border-color: var(--s0); color: var(--paper); font-weight: 600; cursor: pointer; }
#problem { color: var(--bad); font-weight: 600; min-height: 1.5em; margin: 0; }
@media (max-width: 480px) { main { padding: 16px 12px 32px; } section { padding: 12px; } svg text { font-size: 13px; } }
`;
