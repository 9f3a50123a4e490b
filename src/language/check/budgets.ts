/** Settings of budgets that contradict one another: all stages of a run are computed by one engine on one runtime. */
import * as engines from '../diagnostics/catalogue/engines.js';
import { deviceMemoryDiffers, runtimesDiffer } from '../diagnostics/catalogue/runtimes.js';
import { idleSetting } from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Budget, Value } from '../ir/program.js';
import { takesLimit } from '../ir/runtimes.js';
import type { Span } from '../source/span.js';
import type { SourceFile } from '../syntax/ast.js';
import { type BudgetSetting, type BudgetSettingName, budgetSettingsOf } from './budget-settings.js';
import { formatQuantity } from './units.js';

type Problem<V> = (at: Span, value: V, first: BudgetSetting<V>) => Diagnostic;

const sizeText = (bytes: number): string => formatQuantity(bytes, 'bytes');

const OF_ENGINES = ['engine', 'devices', 'nodes', 'sharding'] as const;

function differingBudgets(budgets: readonly Budget[], tree: SourceFile): readonly Diagnostic[] {
  const differing = <V extends Value>(key: BudgetSettingName, problem: Problem<V>) => {
    const [first, ...others] = budgetSettingsOf<V>(key, budgets, tree);
    return others.flatMap(({ span, value }) =>
      first === undefined || value === first.value ? [] : [problem(span, value, first)],
    );
  };
  return [
    ...OF_ENGINES.flatMap((key) =>
      differing<string | number>(key, (at, value, first) =>
        engines.enginesDiffer(at, key, String(value), { ...first, value: String(first.value) }),
      ),
    ),
    ...differing<string>('runtime', (at, value, { value: runtime, ...first }) =>
      runtimesDiffer(at, value, { ...first, runtime }),
    ),
    ...differing<number>('device_memory', (at, value, { value: size, ...first }) =>
      deviceMemoryDiffers(at, sizeText(value), { ...first, size: sizeText(size) }),
    ),
  ];
}

/** A limit of a device where the pipeline itself asks for a runtime that has none. */
function idleLimits(budgets: readonly Budget[], tree: SourceFile): readonly Diagnostic[] {
  const [asked] = budgetSettingsOf<string>('runtime', budgets, tree);
  if (asked === undefined || asked.value === 'auto' || takesLimit(asked.value)) return [];
  return budgetSettingsOf<number>('device_memory', budgets, tree).map(({ span }) =>
    idleSetting(
      span,
      `\`device_memory\` limits the memory of tensors on a device, but \`${asked.value}\` uses the memory of the machine`,
      `remove it, or \`runtime = ${asked.value}\``,
    ),
  );
}

/** What asks for one engine next to what only the other has. */
function wrongEngine(budgets: readonly Budget[], tree: SourceFile): readonly Diagnostic[] {
  const settingOf = (key: BudgetSettingName): engines.EngineSetting | undefined => {
    const [found] = budgetSettingsOf<string | number>(key, budgets, tree);
    return found && { key, value: String(found.value), at: found.span };
  };
  const [engine, runtime] = [settingOf('engine'), settingOf('runtime')];
  const isRuntimeAsked = runtime !== undefined && runtime.value !== 'auto';
  if (engine?.value === 'accelerate') {
    if (isRuntimeAsked) return [engines.runtimeWithEngine(engine, runtime)];
    const isOne = settingOf('devices')?.value === '1' && (settingOf('nodes')?.value ?? '1') === '1';
    const sharding = settingOf('sharding');
    return isOne && sharding !== undefined && sharding.value !== 'auto'
      ? [engines.shardsOfOne(sharding)]
      : [];
  }
  const embedded = engine?.value === 'embedded' ? engine : isRuntimeAsked ? runtime : undefined;
  if (embedded === undefined) return [];
  return engines.RANK_SETTINGS.flatMap((key) => {
    const setting = settingOf(key);
    return setting === undefined || engines.isOneRank(setting)
      ? []
      : [engines.ranksRefused(setting, embedded)];
  });
}

export const checkBudgets = (budgets: readonly Budget[], tree: SourceFile): readonly Diagnostic[] => [
  ...differingBudgets(budgets, tree),
  ...idleLimits(budgets, tree),
  ...wrongEngine(budgets, tree),
];
