/** A graph as SVG, laid out by Graphviz, which is loaded here and nowhere else (1.2 MB of WebAssembly). */
import { escapeHtml } from '../html/markup.js';
import { dot } from './dot.js';
import type { Graph } from './graph.js';

const describe = ({ pipeline, nodes }: Graph): string =>
  `stages of ${pipeline}: ${nodes.map(({ name, kind }) => `${kind} ${name}`).join(', ')}`;

/** What has no colours of its own, on a dark page. */
const DARK = `<style>@media (prefers-color-scheme: dark) {
.edge :is(path, polygon), .plain :is(polygon, path, polyline) { stroke: #c3cad6 }
.edge polygon { fill: #c3cad6 } .edge text, .plain text { fill: #e4e8ef }
}</style>
`;

/** A file of its own, for light and dark pages. */
export async function svgFile(graph: Graph): Promise<string> {
  return (await svg(graph)).replace('<g id="graph0"', `${DARK}<g id="graph0"`);
}

/** A whole SVG element, without the XML declaration; the same bytes for the same graph. */
export async function svg(graph: Graph): Promise<string> {
  const { instance } = await import('@viz-js/viz');
  const viz = await instance();
  const text = viz.renderString(dot(graph), { format: 'svg', engine: 'dot' });
  return (
    text
      .slice(text.indexOf('<svg'))
      .replace(/<!--[\s\S]*?-->\n?/g, '')
      // Graphviz calls every node by its identifier there, and browsers show it; the label says more.
      .replace(/<title>[^<]*<\/title>\n?/g, '')
      .replace('<svg ', `<svg role="img" aria-label="${escapeHtml(describe(graph))}" `)
      .trimEnd()
  );
}
