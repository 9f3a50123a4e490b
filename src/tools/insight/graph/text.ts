/** A graph for a terminal: every stage with what it reads, in the order in which they run. */
import { columns, type Palette } from '../../../pipeline/planner/render/columns.js';
import { printable } from '../safe-text.js';
import type { Graph, NodeStatus } from './graph.js';
import { STATUS_TEXT } from './look.js';

const PAINTS: Readonly<Record<NodeStatus, keyof Palette>> = {
  cached: 'dim',
  run: 'green',
  resume: 'yellow',
  failed: 'red',
};

export function graphText(graph: Graph, palette: Palette, width?: number): string {
  const rows = graph.nodes.map(({ name, kind, status }) => {
    const into = graph.edges.filter((edge) => edge.to === name);
    const from = into.flatMap((edge) =>
      edge.input === true
        ? [palette.dim(printable(edge.from))]
        : edge.ports.map((port) => (port === '' ? edge.from : `${edge.from}.${port}`)),
    );
    return [
      palette.bold(name),
      palette.dim(kind),
      ...(status === undefined ? [] : [palette[PAINTS[status]](STATUS_TEXT[status])]),
      from.length === 0 ? '' : `◀ ${from.join(', ')}`,
    ];
  });
  return columns(rows, { width }).join('\n');
}
