/** The training of a recipe, as the block of a pipeline. */
import { quoted } from '../../language/source/quoted.js';
import { block } from './block.js';
import { key, list, number, percent, record } from './literals.js';
import { ARGUMENTS } from './objectives.js';
import { isLayerName, optimizerOf } from './optimizers.js';
import type { Recipe } from './recipe.js';
import { scheduleText } from './schedules.js';
import { pathFrom } from './sources.js';
import type { ImportContext } from './translation.js';

/** `models`: base and reference as calls; `folder`: that of the pipeline. */
export function trainBlock(
  recipe: Recipe,
  models: { readonly base: string; readonly reference: string | undefined },
  folder: string,
  context: ImportContext,
): readonly string[] {
  const method = recipe.method === 'full' ? 'full' : recipe.fourBit === true ? 'qlora' : 'lora';
  const separate = recipe.validation.length > 0;
  return block(
    `train ${method === 'full' ? 'tuned' : 'adapter'} using ${method}`,
    {
      base: models.base,
      dataset: 'examples.train',
      validate: separate ? 'validation_examples.all' : recipe.validShare ? 'examples.valid' : undefined,
      lora: method === 'full' ? undefined : loraText(recipe),
      start:
        recipe.start === undefined
          ? undefined
          : `peft(${quoted(pathFrom(folder, context.folder, recipe.start))})`,
      objective: objectiveText(recipe, models.reference),
      optimizer: optimizerText(recipe),
      neftune_noise_alpha: recipe.neftune === undefined ? undefined : number(recipe.neftune),
      label_smoothing: recipe.smoothing ? percent(recipe.smoothing) : undefined,
      batch: record({
        global: `${globalRows(recipe)}`,
        packing: recipe.packing === true ? 'true' : undefined,
      }),
      stop: record({
        epochs: recipe.epochs === undefined ? undefined : number(recipe.epochs),
        steps: recipe.steps === undefined ? undefined : `${recipe.steps}`,
        patience: recipe.patience === undefined ? undefined : `${recipe.patience}`,
      }),
      checkpoint: record({
        every: recipe.every === undefined ? undefined : `${recipe.every}steps`,
        keep: recipe.keep === undefined ? undefined : `${recipe.keep}`,
      }),
      validation: record({
        every: recipe.validateEvery === undefined ? undefined : `${recipe.validateEvery}steps`,
        metrics: recipe.best === undefined ? undefined : `[${recipe.best}]`,
        best: recipe.best,
      }),
      fallback: recipe.sharing.offloads === true ? '[cpu_offload]' : undefined,
      order: recipe.order,
      seed: recipe.seed === undefined ? undefined : `${recipe.seed}`,
    },
    recipe.remarks,
  );
}

/** What is learned from preferences, with the arguments that are said. */
function objectiveText(recipe: Recipe, reference: string | undefined): string | undefined {
  const { objective } = recipe;
  if (objective === undefined) return undefined;
  const args = ARGUMENTS[objective].flatMap(({ name, part, isShare }) => {
    const value = recipe[part];
    if (value === undefined || (isShare === true && value === 0)) return [];
    if (typeof value === 'object') return reference === undefined ? [] : [`${name}: ${reference}`];
    const text = typeof value === 'string' ? value : isShare ? percent(value) : number(value);
    return [`${name}: ${text}`];
  });
  return `${objective}(${args.join(', ')})`;
}

/** Rows per step on all devices. */
function globalRows(recipe: Recipe): number {
  const { micro = 1, accumulation = 1, stepRows, totalRows } = recipe;
  return totalRows ?? (stepRows ?? micro * accumulation) * (devicesOf(recipe) ?? 1);
}

/** In all, where somebody says how many. */
export const devicesOf = ({ devices, sharing }: Recipe): number | undefined => devices ?? sharing.processes;

/** A set, or a list that may have one among its names. */
function targetList({ targets, experts = [] }: Recipe['lora']): string | undefined {
  if (experts.length === 0 && (targets === undefined || typeof targets === 'string')) return targets;
  const layers = targets === undefined ? [] : typeof targets === 'string' ? [targets] : targets.map(named);
  return list([...layers, ...experts.map(quoted)]);
}

const named = (layer: string): string => (isLayerName(layer) ? layer : quoted(layer));

function loraText({ lora, start }: Recipe): string | undefined {
  const dropout = lora.dropout === undefined || lora.dropout === 0 ? undefined : percent(lora.dropout);
  // The adapter that training starts from says all the rest.
  if (start !== undefined) return record({ dropout });
  const pattern = (numbers: ReadonlyMap<string, number> | undefined): string | undefined =>
    numbers === undefined
      ? undefined
      : record(Object.fromEntries([...numbers].map(([name, value]) => [key(name), number(value)])));
  return record({
    rank: lora.rank === undefined ? undefined : `${lora.rank}`,
    alpha: lora.alpha === undefined ? undefined : number(lora.alpha),
    dropout,
    targets: targetList(lora),
    exclude: lora.exclude === undefined ? undefined : list(lora.exclude.map(named)),
    rslora: lora.rslora === true ? 'true' : undefined,
    dora: lora.dora === true ? 'true' : undefined,
    bias: lora.bias,
    layers: lora.layers === undefined ? undefined : list(lora.layers.map(String)),
    rank_pattern: pattern(lora.rankPattern),
    alpha_pattern: pattern(lora.alphaPattern),
    modules_to_save: lora.modulesToSave === undefined ? undefined : list(lora.modulesToSave),
    init: lora.init === 'kaiming' ? undefined : lora.init,
  });
}

function optimizerText(recipe: Recipe): string {
  const { call, paged } = optimizerOf(recipe.optimizer ?? 'adamw');
  const isAdam = call === 'adamw' || call === 'adamw8bit';
  const hasBetas = isAdam || call === 'lion';
  const some = (value: number | undefined, usual: number): string | undefined =>
    value === undefined || value === usual ? undefined : number(value);
  const fields = record({
    rate: number(recipe.rate ?? 0),
    beta1: hasBetas ? some(recipe.beta1, 0.9) : undefined,
    // Trainer gives Lion its own default, and not that of the Lion paper.
    beta2: isAdam
      ? some(recipe.beta2, 0.999)
      : call === 'lion'
        ? some(recipe.beta2 ?? 0.999, 0.99)
        : undefined,
    epsilon: isAdam ? some(recipe.epsilon, 1e-8) : undefined,
    decay: some(recipe.decay, 0),
    loraplus_ratio: some(recipe.loraplusRatio, 1),
    schedule: scheduleText(recipe),
    clip: recipe.clip === 0 ? 'none' : some(recipe.clip, 1),
    paged: paged === true ? 'true' : undefined,
  });
  return `${call}(${(fields ?? '').replace(/^\{ | \}$/g, '')})`;
}
