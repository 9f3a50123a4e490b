/** What the page of a pipeline has in addition to the look of every page. */
export const PAGE_STYLE = `
.skip { position: absolute; left: -999px; } .skip:focus { left: 12px; top: 8px; background: var(--card); padding: 6px 10px; }
main { max-width: 900px; }
tbody th { font-weight: 500; }
dl { margin: 8px 0; } dd { margin: 0; }
dl.commands { background: var(--card); border-radius: 8px; padding: 10px 16px; }
dl.commands dd { color: var(--soft); margin-bottom: 8px; } dl.commands dd:last-child { margin-bottom: 0; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; }
dl.facts dt { color: var(--soft); }
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
