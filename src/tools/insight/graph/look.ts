/** How kinds and statuses look, the same in every format: a status is legible by its words without any colour. */
import type { StageKind } from '../../../language/ir/program.js';
import type { GraphEdge, GraphInput, GraphNode, NodeStatus } from './graph.js';

export const STATUS_TEXT: Readonly<Record<NodeStatus, string>> = {
  cached: '= cached',
  run: '+ run',
  resume: '~ resume',
  failed: '✗ failed last time',
};

/** Fill, line and text, legible on light and dark pages; contrast of text on fill is above 7 : 1. */
export const STATUS_COLOURS: Readonly<
  Record<
    NodeStatus,
    { readonly fill: string; readonly line: string; readonly text: string; readonly dashed: boolean }
  >
> = {
  cached: { fill: '#e5e7eb', line: '#6b7280', text: '#111827', dashed: false },
  run: { fill: '#d1fae5', line: '#047857', text: '#111827', dashed: false },
  resume: { fill: '#fef3c7', line: '#b45309', text: '#111827', dashed: true },
  failed: { fill: '#fee2e2', line: '#b91c1c', text: '#111827', dashed: true },
};

export const statusesIn = (nodes: readonly GraphNode[]): readonly NodeStatus[] =>
  (Object.keys(STATUS_TEXT) as NodeStatus[]).filter((status) => nodes.some((node) => node.status === status));

/** The lines of a node's label. */
export const nodeLines = ({ name, kind, status }: GraphNode): readonly string[] => [
  name,
  status === undefined ? kind : `${kind} · ${STATUS_TEXT[status]}`,
];

export const edgeLabel = ({ ports }: GraphEdge): string => ports.filter((port) => port !== '').join(', ');

/** A name that every format takes without quotes: words of the language, made different where they fall together. */
export function identifiers(
  nodes: readonly { readonly name: string; readonly kind: StageKind | GraphInput['kind'] }[],
): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  const found = new Map<string, string>();
  for (const { name, kind } of nodes) {
    const plain = `${kind}_${name.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^_+|_+$/g, '')}`;
    let id = plain;
    for (let count = 2; taken.has(id); count++) id = `${plain}_${count}`;
    taken.add(id);
    found.set(keyOf(kind, name), id);
  }
  return found;
}

/** A file may be called as a stage is. */
export const keyOf = (kind: StageKind | GraphInput['kind'], name: string): string =>
  kind === 'files' || kind === 'model' ? `input ${name}` : `stage ${name}`;

export const endOf = (edge: GraphEdge): string => `${edge.input === true ? 'input' : 'stage'} ${edge.from}`;
