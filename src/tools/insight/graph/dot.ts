/** A graph in Graphviz's language (https://graphviz.org/doc/info/lang.html). */
import type { StageKind } from '../../../language/ir/program.js';
import { escapeHtml } from '../../../language/source/markup.js';
import type { Graph, GraphInput } from './graph.js';
import { edgeLabel, endOf, identifiers, keyOf, nodeLines, STATUS_COLOURS } from './look.js';

const SHAPES: Readonly<Record<StageKind | GraphInput['kind'], string>> = {
  data: 'cylinder',
  format: 'parallelogram',
  train: 'box3d',
  eval: 'hexagon',
  merge: 'box',
  deploy: 'house',
  files: 'note',
  model: 'component',
};

export function dot(graph: Graph): string {
  const ids = identifiers([...graph.inputs, ...graph.nodes]);
  const id = (key: string): string => ids.get(key) ?? key;
  return [
    `digraph ${quoted(graph.pipeline)} {`,
    '  graph [rankdir=TB, bgcolor="transparent", fontname="Helvetica", nodesep=0.4, ranksep=0.5]',
    '  node [fontname="Helvetica", fontsize=12, margin="0.18,0.1"]',
    '  edge [fontname="Helvetica", fontsize=10, arrowsize=0.7]',
    ...graph.inputs.map(
      ({ kind, name }) =>
        `  ${id(keyOf(kind, name))} [label=${quoted(name)}, shape=${SHAPES[kind]}, style=dashed, class="input plain"]`,
    ),
    ...graph.nodes.map((node) => {
      const { kind, name, status } = node;
      const look = status === undefined ? undefined : STATUS_COLOURS[status];
      const colours =
        look === undefined
          ? ''
          : `, style="filled${look.dashed ? ',dashed' : ''}", fillcolor="${look.fill}", color="${look.line}", fontcolor="${look.text}"`;
      const tip = node.doc === undefined ? '' : `, tooltip=${quoted(node.doc)}`;
      return `  ${id(keyOf(kind, name))} [label=${quoted(nodeLines(node).join('\n'))}, shape=${SHAPES[kind]}${colours}${tip}, class="${['stage', kind, status ?? 'plain'].join(' ')}"]`;
    }),
    ...graph.edges.map((edge) => {
      const label = edgeLabel(edge);
      const look = [
        ...(label === '' ? [] : [`label=${quoted(` ${label} `)}`]),
        ...(edge.input === true ? ['style=dashed'] : []),
      ];
      return `  ${id(endOf(edge))} -> ${id(`stage ${edge.to}`)}${look.length === 0 ? '' : ` [${look.join(', ')}]`}`;
    }),
    '}',
  ].join('\n');
}

/** A backslash before anything but a quote has a meaning of its own in labels: it is doubled. */
const quoted = (text: string): string =>
  `"${text
    .replace(/[^\P{Cc}\n]/gu, ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    // An entity is read as its sign otherwise.
    .replaceAll('&', '&amp;')
    .replaceAll('\n', '\\n')}"`;

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

/**
 * A whole SVG element, without the XML declaration; the same bytes for the same graph. Graphviz lays it out, which is
 * loaded here and nowhere else (1.2 MB of WebAssembly).
 */
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
