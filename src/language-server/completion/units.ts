/** Units behind a number. */
import { CompletionItemKind } from 'vscode-languageserver/node.js';
import { UNITS, type UnitSuffix } from '../../../grammar/units.js';
import { suffixesOf, unitNoun } from '../../check/units.js';
import type { Unit } from '../../ir/types.js';
import { expectedIn } from '../cursor/expected.js';
import { alternatives } from '../names/values.js';
import { metricsAt } from './conditions.js';
import type { Proposals, Request } from './request.js';

export function unitProposals(number: string, request: Request): Proposals {
  const digits = /^[\d.]+(?:[eE][+-]?\d+)?/.exec(number)?.[0] ?? number;
  return suffixesOf(unitsAt(request)).map((suffix) => ({
    label: `${digits}${suffix}`,
    kind: CompletionItemKind.Unit,
    detail: unitNoun(UNITS[suffix as UnitSuffix].measure),
    sort: 'a',
  }));
}

/** Units that the place takes: of the setting, or of the metric that the number is compared with. */
function unitsAt(request: Request): readonly Unit[] {
  const type = expectedIn(request.cursor.frames);
  if (type !== undefined)
    return alternatives(type).flatMap((one) =>
      one.kind === 'quantity' ? one.units : one.kind === 'number' ? (['ratio'] as const) : [],
    );
  const metrics = metricsAt(request);
  if (metrics === undefined) return ['bytes', 'seconds', 'tokens', 'steps', 'ratio'];
  const block = request.cursor.frames.find(({ kind }) => kind === 'block');
  const units = (block?.statement ?? []).flatMap(({ image }): readonly Unit[] => {
    const unit = Object.hasOwn(metrics, image) ? metrics[image]?.unit : undefined;
    return unit === undefined || unit === 'number' || unit === 'boolean' ? [] : [unit];
  });
  return [...new Set(units)];
}
