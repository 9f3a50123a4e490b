/** What a `require` may refer to. */

import { unitNoun } from '../../../language/check/units.js';
import { COMPARISONS, isComparisonName } from '../../../language/schemas/comparisons.js';
import type { MetricSchema } from '../../../language/schemas/schema.js';
import { kindOf } from '../cursor/expected.js';
import { ftp, headOf, metricText } from '../describe.js';
import {
  CHECKLIST,
  hasBaseline,
  isChecklist,
  type Metrics,
  metricsOfStage,
  ownMetrics,
} from '../names/block-schemas.js';
import { stagesIn } from '../names/targets.js';
import { type Proposals, propose, type Request } from './request.js';

const word = (label: string, detail: string): Proposals => [propose('Keyword', label, { detail, sort: 'e' })];

/** Between two conditions. */
export const JOINING: Proposals = [...word('and', 'both hold'), ...word('or', 'at least one holds')];
/** Before one. */
export const NEGATION: Proposals = word('not', 'it does not hold');

/** The kind of the block whose `require` the cursor is in. */
export function conditionIn({ cursor }: Request): string | undefined {
  const block = cursor.frames.find((frame) => frame.kind === 'block');
  return block?.statement[0]?.image === 'require' ? kindOf(block) : undefined;
}

/** After the dot of a `require`. */
export function metricsAfter(name: string, kind: string, { view }: Request): Metrics {
  if (isChecklist(name, kind)) return CHECKLIST.metrics;
  if (isComparisonName(name) && hasBaseline(kind)) return ownMetrics(kind) ?? {};
  const stage = stagesIn(view.module).find((one) => one.name.text === name);
  return stage === undefined ? {} : metricsOfStage(kind, stage.node.kind.text);
}

export function metricProposals(kind: string, request: Request): Proposals {
  const own = request.cursor.frames.find((frame) => frame.kind === 'block')?.head[1]?.image;
  const dot = request.cursor.next?.image === '.' ? '' : '.$1';
  return [
    ...named(ownMetrics(kind) ?? {}),
    ...stagesIn(request.view.module)
      .filter(({ name }) => name.text !== own)
      .map((stage) =>
        propose('Class', stage.name.text, {
          detail: `what the ${stage.node.kind.text} stage measured`,
          doc: ftp(headOf(stage)),
          insert: `${stage.name.text}${dot}`,
          sort: 'c',
        }),
      ),
    ...(isChecklist(CHECKLIST.name, kind) ? [checklistProposal(dot)] : []),
    ...(hasBaseline(kind)
      ? Object.entries(COMPARISONS).map(([name, doc]) =>
          propose('Module', name, { detail: doc, insert: `${name}${dot}`, sort: 'b' }),
        )
      : []),
  ];
}

const checklistProposal = (dot: string): Proposals[number] =>
  propose('Module', CHECKLIST.name, {
    detail: CHECKLIST.doc,
    insert: `${CHECKLIST.name}${dot}`,
    sort: 'b',
  });

export const named = (metrics: Readonly<Record<string, MetricSchema>>): Proposals =>
  Object.entries(metrics).map(([name, schema]) =>
    propose('Field', name, {
      detail: schema.unit === 'number' || schema.unit === 'boolean' ? schema.unit : unitNoun(schema.unit),
      doc: metricText(name, schema),
      sort: 'a',
    }),
  );
