/** Wirings that are well typed and cannot be meant. */

import { adapterOverAdapter } from '../diagnostics/catalogue/adapters.js';
import { baseMismatch, emptySplit, onlyGguf, sharedTarget } from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Budget } from '../ir/program.js';
import { isRecord } from '../ir/values.js';
import { isComparisonName } from '../schemas/comparisons.js';
import type { MetricSchema } from '../schemas/schema.js';
import { budgetMetrics, stageMetrics } from '../schemas/stages/budget.js';
import { FOLDER_DTYPES } from '../schemas/stages/merge.js';
import type { SourceFile } from '../syntax/ast.js';
import { checkBudgets } from './budgets.js';
import { checkCertain, type MetricOf } from './certain-requirements.js';
import { classification } from './classification.js';
import { columnsOfRows, fittingColumns, soundPatterns } from './columns.js';
import type { FolderAccess } from './context.js';
import { dataSettings } from './data-settings.js';
import { idleSettings } from './idle-settings.js';
import { portType } from './ports.js';
import { referenceIn, type Stages, settingSpan } from './stage-settings.js';
import type { CheckedStage } from './stages.js';
import { fileTexts } from './suspicious-texts.js';
import { checkTarget } from './targets.js';
import { sameForm, sameTokenizer } from './tokenizers.js';

type Check = (checked: CheckedStage, stages: Stages, access: FolderAccess) => readonly Diagnostic[];

/** `dialogs.valid` where the data stage gives `valid` no share. */
const emptySplits: Check = (checked, stages) =>
  ['dataset', 'validate'].flatMap((key) => {
    const reference = referenceIn(checked, key);
    const format = reference && stages.get(reference.stage);
    const from = format && referenceIn(format, 'from');
    const data = from && stages.get(from.stage);
    if (reference === undefined || data === undefined || !data.isSound) return [];
    const { split } = data.stage.settings;
    const share = isRecord(split) ? split[reference.port] : Number(reference.port === 'train');
    if (reference.port === 'all' || (typeof share === 'number' && share > 0)) return [];
    const span = split === undefined ? data.block.name.span : settingSpan(data, 'split');
    const written = `${reference.stage}.${reference.port}`;
    return [emptySplit(settingSpan(checked, key), written, data.stage.name, span)];
  });

/** An adapter is merged into the base that it was trained on. */
const sameBase: Check = (checked, stages) => {
  const adapter = checked.stage.kind === 'merge' ? referenceIn(checked, 'adapter') : undefined;
  const trained = adapter && stages.get(adapter.stage);
  if (adapter === undefined || trained === undefined || !trained.isSound) return [];
  const [own, other] = [checked.stage.settings['base'], trained.stage.settings['base']];
  if (JSON.stringify(own) === JSON.stringify(other)) return [];
  const name = `${adapter.stage}.${adapter.port}`;
  return [baseMismatch(settingSpan(checked, 'base'), name, settingSpan(trained, 'base'))];
};

/** An adapter of a folder is put over a model, and not over an adapter. */
const overModel: Check = (checked, stages) => {
  const { kind, settings } = checked.stage;
  if (kind !== 'eval' || settings['adapter'] === undefined) return [];
  const model = referenceIn(checked, 'model');
  const source = model && stages.get(model.stage);
  const port = model && source?.schema.ports[model.port];
  if (model === undefined || port === undefined || source?.isSound !== true) return [];
  if (portType(port, source.stage.preset) !== 'Adapter') return [];
  const written = `${model.stage}.${model.port}`;
  return [adapterOverAdapter(settingSpan(checked, 'adapter'), written, settingSpan(checked, 'model'))];
};

/** Blocks of few bits in a Hugging Face folder. */
const storedForm: Check = (checked) => {
  const { kind, settings } = checked.stage;
  const dtype = String(settings['dtype']);
  if (kind !== 'merge' || settings['file_format'] !== 'safetensors') return [];
  const isFound = FOLDER_DTYPES.some((each) => each === dtype);
  return isFound ? [] : [onlyGguf(settingSpan(checked, 'dtype'), dtype, FOLDER_DTYPES)];
};

/** What a name of a condition measures; `own`: what the block itself does, under a name alone or after `baseline`. */
const metricsIn =
  (own: Readonly<Record<string, MetricSchema>>, stages: Stages): MetricOf =>
  ([first = '', second]) => {
    const isOwn = second === undefined || isComparisonName(first);
    const of = isOwn ? own : stages.get(first)?.schema.metrics;
    const name = second ?? first;
    const metric = [of, stageMetrics].find(
      (metrics) => metrics !== undefined && Object.hasOwn(metrics, name),
    )?.[name];
    // a gain may be a loss
    const isSigned = second !== undefined && first !== 'baseline' && isOwn;
    return isSigned && metric !== undefined
      ? { ...metric, min: metric.unit === 'ratio' ? -1 : Number.NEGATIVE_INFINITY }
      : metric;
  };

const certainGates: Check = ({ stage, schema, block }, stages) =>
  checkCertain(stage.requires, block.requirements, metricsIn(schema.metrics, stages));

/** Two deploy stages with one folder. */
function sharedTargets(stages: readonly CheckedStage[]): readonly Diagnostic[] {
  const first = new Map<string, CheckedStage>();
  return stages.flatMap((checked) => {
    const { kind, name, settings } = checked.stage;
    if (kind !== 'deploy' || settings['target'] === undefined) return [];
    const target = JSON.stringify(settings['target']);
    const other = first.get(target);
    if (other === undefined) first.set(target, checked);
    return other === undefined || other.block === checked.block
      ? []
      : [sharedTarget(settingSpan(checked, 'target'), name, settingSpan(other, 'target'))];
  });
}

const CHECKS: readonly Check[] = [
  idleSettings,
  dataSettings,
  certainGates,
  fileTexts,
  columnsOfRows,
  fittingColumns,
  soundPatterns,
  emptySplits,
  sameBase,
  overModel,
  storedForm,
  sameTokenizer,
  sameForm,
  classification,
  checkTarget,
];

export function checkConsistency(
  stages: readonly CheckedStage[],
  budgets: readonly Budget[],
  tree: SourceFile,
  access: FolderAccess,
): readonly Diagnostic[] {
  const byName = new Map(stages.map((checked) => [checked.stage.name, checked]));
  const written = tree.blocks.flatMap(({ kind, requirements }) =>
    kind.text === 'budget' ? requirements : [],
  );
  const sound = stages.filter(({ isSound }) => isSound);
  return [
    ...sharedTargets(sound),
    ...checkBudgets(budgets, tree),
    ...sound.flatMap((checked) => CHECKS.flatMap((check) => check(checked, byName, access))),
    ...budgets.flatMap(({ requires }) => checkCertain(requires, written, metricsIn(budgetMetrics, byName))),
  ];
}
