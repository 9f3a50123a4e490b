/** A graph as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html). */
import type { StageKind } from '../../../language/ir/program.js';
import type { Graph, GraphInput } from './graph.js';
import { edgeLabel, endOf, identifiers, keyOf, nodeLines, STATUS_COLOURS, statusesIn } from './look.js';

/** Opening and closing of the shape, around the quoted label. */
const SHAPES: Readonly<Record<StageKind | GraphInput['kind'], readonly [string, string]>> = {
  data: ['[(', ')]'],
  format: ['[/', '/]'],
  train: ['[[', ']]'],
  eval: ['{{', '}}'],
  merge: ['[', ']'],
  deploy: ['([', '])'],
  files: ['>', ']'],
  model: ['(', ')'],
};

export function mermaid(graph: Graph): string {
  const all = [...graph.inputs, ...graph.nodes];
  const ids = identifiers(all);
  const id = (key: string): string => ids.get(key) ?? key;
  const shape = (kind: keyof typeof SHAPES, name: string, lines: readonly string[]): string => {
    const [open, close] = SHAPES[kind];
    return `${id(keyOf(kind, name))}${open}"${lines.map(escaped).join('<br/>')}"${close}`;
  };
  const statuses = statusesIn(graph.nodes);
  return [
    'flowchart TD',
    ...graph.inputs.map(({ kind, name }) => `  ${shape(kind, name, [name])}:::input`),
    ...graph.nodes.map(
      (node) =>
        `  ${shape(node.kind, node.name, nodeLines(node))}${node.status === undefined ? '' : `:::${node.status}`}`,
    ),
    ...graph.edges.map((edge) => {
      const label = edgeLabel(edge);
      const arrow = edge.input === true ? '-.->' : label === '' ? '-->' : `-->|"${escaped(label)}"|`;
      return `  ${id(endOf(edge))} ${arrow} ${id(`stage ${edge.to}`)}`;
    }),
    ...(graph.inputs.length === 0 ? [] : ['  classDef input stroke-dasharray: 2 3']),
    ...statuses.map((status) => {
      const { fill, line, text, dashed } = STATUS_COLOURS[status];
      return `  classDef ${status} fill:${fill},stroke:${line},color:${text}${dashed ? ',stroke-dasharray: 6 3' : ''}`;
    }),
  ].join('\n');
}

/**
 * Mermaid has no backslash: signs that mean something to it, or to Markdown and HTML in it, are written as numbers.
 * A control sign becomes a space.
 */
const escaped = (text: string): string =>
  text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/[^\p{L}\p{N}\p{M} .,:/@=+~✗·()-]/gu, (sign) => `#${sign.codePointAt(0)};`);
