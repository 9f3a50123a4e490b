/** A graph in Graphviz's language (https://graphviz.org/doc/info/lang.html). */
import type { StageKind } from '../../../language/ir/program.js';
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
