/** Units after a number. */
import { CompletionItemKind } from 'vscode-languageserver/node.js';
import { UNITS, type UnitSuffix } from '../../../../grammar/units.js';
import { suffixesOf, unitNoun } from '../../../language/check/units.js';
import type { Unit } from '../../../language/ir/program.js';
import { alternatives } from '../../../language/schemas/setting-paths.js';
import { lookUp } from '../../../language/source/look-up.js';
import { expectedIn } from '../cursor/expected.js';
import { ownMetrics } from '../names/block-schemas.js';
import { conditionIn, metricsAfter } from './conditions.js';
import { testBlock, unitsInTest } from './expectations.js';
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

const ANY: readonly Unit[] = ['bytes', 'seconds', 'tokens', 'steps', 'ratio'];

/** Units that the place takes: of the setting, or of the metric that the number is compared with. */
function unitsAt(request: Request): readonly Unit[] {
  const test = testBlock(request);
  if (test !== undefined) return unitsInTest(test, request) ?? ANY;
  const type = expectedIn(request.cursor.frames);
  if (type !== undefined)
    return alternatives(type).flatMap((one) =>
      one.kind === 'quantity' ? one.units : one.kind === 'number' ? (['ratio'] as const) : [],
    );
  const condition = conditionIn(request);
  if (condition === undefined) return ANY;
  const { statement } = request.cursor.frames.find(({ kind }) => kind === 'block') ?? request.frame;
  const units = statement.flatMap(({ image }, at): readonly Unit[] => {
    const before = statement[at - 1]?.image === '.' ? statement[at - 2] : undefined;
    const metrics =
      before === undefined ? ownMetrics(condition) : metricsAfter(before.image, condition, request);
    const unit = lookUp(metrics, image)?.unit;
    return unit === undefined || unit === 'number' || unit === 'boolean' ? [] : [unit];
  });
  return [...new Set(units)];
}
