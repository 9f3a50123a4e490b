/** What a `require` may speak of. */
import { CompletionItemKind } from 'vscode-languageserver/node.js';
import { unitNoun } from '../../check/units.js';
import { budgetMetrics } from '../../stages/budget.js';
import type { MetricSchema } from '../../stages/schema.js';
import { kindOf } from '../cursor/expected.js';
import { metricText } from '../describe.js';
import { schemaOf } from '../names/index-of.js';
import type { Proposals, Request } from './request.js';

export function metricsAt({ cursor }: Request): Readonly<Record<string, MetricSchema>> | undefined {
  const block = cursor.frames.find(({ kind }) => kind === 'block');
  if (block?.kind !== 'block' || block.statement[0]?.image !== 'require') return undefined;
  const kind = kindOf(block);
  return kind === 'budget' ? budgetMetrics : schemaOf(kind)?.metrics;
}

export function metricProposals(request: Request): Proposals {
  const metrics = metricsAt(request) ?? {};
  const block = request.cursor.frames.find(({ kind }) => kind === 'block');
  const settings = block?.kind === 'block' ? (schemaOf(kindOf(block))?.settings ?? {}) : {};
  return [
    ...named(metrics),
    ...(Object.hasOwn(settings, 'baseline')
      ? [
          {
            label: 'baseline',
            kind: CompletionItemKind.Module,
            detail: 'the same metrics of the baseline',
            insert: 'baseline.$1',
            sort: 'b',
          },
        ]
      : []),
  ];
}

export const named = (metrics: Readonly<Record<string, MetricSchema>>): Proposals =>
  Object.entries(metrics).map(([name, schema]) => ({
    label: name,
    kind: CompletionItemKind.Field,
    detail: schema.unit === 'number' || schema.unit === 'boolean' ? schema.unit : unitNoun(schema.unit),
    doc: metricText(name, schema),
    sort: 'a',
  }));
