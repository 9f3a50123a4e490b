/** Settings of a data stage that contradict one another. */
import { groupsAndStrata, noRestOfMix, notMeasured, shareOrEpochs } from '../diagnostics/catalogue/files.js';
import { idleSetting } from '../diagnostics/catalogue/wiring.js';
import { percentText } from '../diagnostics/make.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { namesIn } from '../ir/expression.js';
import { mixedSources } from '../schemas/stages/data.js';
import { settingsOf } from '../schemas/stages/settings.js';
import { settingSpan, textAt } from './stage-settings.js';
import type { CheckedStage } from './stages.js';

export function dataSettings(checked: CheckedStage): readonly Diagnostic[] {
  if (checked.stage.kind !== 'data') return [];
  return [mixShares, stoppingStrategy, strata, unmeasured].flatMap((check) => check(checked));
}

function mixShares(checked: CheckedStage): readonly Diagnostic[] {
  const sources = mixedSources(settingsOf(checked.stage, 'data'));
  const unclear = sources.flatMap(({ share, epochs }, index) => {
    if ((share === undefined) !== (epochs === undefined)) return [];
    const at = textAt(checked.block.properties, `mix.${index}`)?.expression.span;
    return [shareOrEpochs(at ?? settingSpan(checked, 'mix'), share === undefined ? 'neither' : 'both')];
  });
  const total = sources.reduce((sum, { share }) => sum + (share ?? 0), 0);
  return total < 1 - 1e-9
    ? unclear
    : [...unclear, noRestOfMix(settingSpan(checked, 'mix'), percentText(total))];
}

function strata(checked: CheckedStage): readonly Diagnostic[] {
  const { split } = settingsOf(checked.stage, 'data');
  if (split?.by === undefined || split.stratify === undefined) return [];
  const at = textAt(checked.block.properties, 'split.stratify')?.expression.span;
  return [groupsAndStrata(at ?? settingSpan(checked, 'split'))];
}

/** Metrics that are measured where a setting asks for them, and that setting. */
const MEASURED_BY = {
  largest_share: { setting: 'balance', example: 'balance = { by: "domain", at_most: 40% }' },
  outliers: { setting: 'outliers', example: 'outliers = { iqr: 3 }' },
} as const;

function unmeasured({ stage }: CheckedStage): readonly Diagnostic[] {
  return Object.entries(MEASURED_BY).flatMap(([metric, { setting, example }]) =>
    stage.settings[setting] !== undefined
      ? []
      : stage.requires
          .filter(({ condition }) => namesIn(condition).some(({ path }) => path.join('.') === metric))
          .map(({ span }) => notMeasured(span, metric, setting, example)),
  );
}

/** Without shares, every source is used as often as it says. */
function stoppingStrategy(checked: CheckedStage): readonly Diagnostic[] {
  const settings = settingsOf(checked.stage, 'data');
  if (settings.stopping_strategy === undefined) return [];
  if (mixedSources(settings).some(({ share }) => share !== undefined)) return [];
  return [
    idleSetting(
      settingSpan(checked, 'stopping_strategy'),
      '`stopping_strategy` is about a `mix` of sources by shares, and there is none',
      'remove it, or write `mix = [{ source: …, share: 30% }]`',
    ),
  ];
}
