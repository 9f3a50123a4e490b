/** A recipe as the text of a pipeline. */

import { resolve } from 'node:path';
import * as v from 'valibot';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { formatText } from '../../language/formatter/index.js';
import { tryJsonFile } from '../../language/host/json.js';
import { MOST_DEVICES, MOST_NODES } from '../../language/ir/engines.js';
import { isRepositoryId, isRevision } from '../../language/schemas/repositories.js';
import { lookUp } from '../../language/source/look-up.js';
import { quoted } from '../../language/source/quoted.js';
import type { Span } from '../../language/source/span.js';
import { block } from './block.js';
import { wrongValue } from './import-diagnostics.js';
import { keyComments, safeName } from './key-comments.js';
import { list, percent, record } from './literals.js';
import { takes } from './objectives.js';
import { styleOf } from './optimizers.js';
import { type Dataset, type Recipe, remark } from './recipe.js';
import { isLocal, pathFrom, type Source, sourceOf, splitOf } from './sources.js';
import { devicesOf, trainBlock } from './train-text.js';
import type { ImportContext } from './translation.js';

interface Destination {
  /** Where the settings came from, in words: `lora.yml of Axolotl`. */
  readonly origin: string;
  /** The folder of the pipeline: absolute. */
  readonly folder: string;
}

/** The pipeline, or why there can be none. */
export function pipelineText(
  recipe: Recipe,
  { origin, folder }: Destination,
  context: ImportContext,
): string | readonly Diagnostic[] {
  const base = baseText(recipe, folder, context);
  const other =
    recipe.objective !== undefined && recipe.reference !== undefined && takes(recipe.objective, 'reference')
      ? modelText(recipe.reference, 'the reference', folder, context)
      : undefined;
  const [sources, validation] = [recipe.datasets, recipe.validation].map((datasets) =>
    datasets.map((dataset) => sourceOf(dataset, folder, context)),
  );
  const wrong = [base, other, ...(sources ?? []), ...(validation ?? [])].filter(isDiagnostic);
  if (wrong.length > 0 || typeof base !== 'string' || isDiagnostic(other)) return wrong;
  const blocks = [
    ...dataBlock('rows', recipe, (sources ?? []).filter(isSource)),
    ...formatBlock('examples', 'rows', recipe, recipe.datasets[0]),
    ...(recipe.validation.length === 0
      ? []
      : [
          ...dataBlock('validation', undefined, (validation ?? []).filter(isSource)),
          ...formatBlock('validation_examples', 'validation', recipe, recipe.validation[0]),
        ]),
    ...trainBlock(recipe, { base, reference: other }, folder, context),
    ...budgetBlock(recipe),
  ];
  const imports = importLines(recipe, [...(sources ?? []), ...(validation ?? [])].filter(isSource));
  return fileText(origin, [...imports, '', ...blocks], context);
}

/** A file with the budget alone. */
export const machineText = (recipe: Recipe, { origin }: Destination, context: ImportContext): string =>
  fileText(origin, budgetBlock(recipe), context);

/** A file that merges adapters, one after the other, or writes the base alone. */
export function mergeText(
  recipe: Recipe,
  { origin, folder }: Destination,
  context: ImportContext,
): string | readonly Diagnostic[] {
  const base = baseText(recipe, folder, context);
  if (isDiagnostic(base)) return [base];
  const { start, adapters = start === undefined ? [] : [start] } = recipe;
  const dtype = recipe.dtype ?? dtypeOfBase(recipe, context);
  const named = (index: number): string => (index < adapters.length - 1 ? `merged_${index + 1}` : 'merged');
  const steps = adapters.length === 0 ? [undefined] : adapters;
  const blocks = steps.flatMap((adapter, index) =>
    block(
      `merge ${named(index)}`,
      {
        base: index === 0 ? base : named(index - 1),
        adapter: adapter && `peft(${quoted(pathFrom(folder, context.folder, adapter))})`,
        // what is merged once more is not rounded before
        dtype: index < steps.length - 1 ? 'f32' : dtype,
      },
      index < steps.length - 1 ? [] : recipe.remarks,
    ),
  );
  return fileText(origin, blocks, context);
}

/** By that of the base, as LLaMA-Factory chooses it. */
const DTYPES: Readonly<Record<string, Recipe['dtype']>> = {
  float32: 'bf16',
  float16: 'f16',
  bfloat16: 'bf16',
};

const CONFIG = v.object({ torch_dtype: v.optional(v.string()), dtype: v.optional(v.string()) });

/** The type of the weights of a base that is here. */
function dtypeOfBase(recipe: Recipe, { host, folder }: ImportContext): NonNullable<Recipe['dtype']> {
  const { name = '' } = recipe.base ?? {};
  const config = tryJsonFile(CONFIG, host, resolve(folder, name, 'config.json'));
  const found = lookUp(DTYPES, config?.dtype ?? config?.torch_dtype ?? '');
  if (found !== undefined) return found;
  remark(recipe, 'dtype', 'There, the type of the base, which is not here: bfloat16 of most.');
  return 'bf16';
}

function fileText(origin: string, lines: readonly string[], { keys }: ImportContext): string {
  const head = [`/// Imported from ${safeName(origin)}.`, 'edition 2026', ''];
  const text = [...head, ...lines, ...keyComments(keys), ''].join('\n');
  const formatted = formatText(text, 'imported.ftp');
  if (formatted.text === undefined)
    throw new Error(`an imported pipeline has errors: ${formatted.diagnostics?.[0]?.message}\n${text}`);
  return formatted.text;
}

const isDiagnostic = (value: unknown): value is Diagnostic =>
  typeof value === 'object' && value !== null && 'severity' in value;

const isSource = (value: Source | Diagnostic): value is Source => !isDiagnostic(value);

function importLines(recipe: Recipe, sources: readonly Source[]): readonly string[] {
  const names = (all: readonly (string | undefined)[]): string =>
    [...new Set(all.filter((name) => name !== undefined))].sort().join(', ');
  const templates = [recipe.datasets[0], recipe.validation[0]].map((dataset) => dataset?.template);
  return [
    `import { ${names(sources.map(({ call }) => call))} } from "std/data"`,
    `import { ${names(templates)} } from "std/format"`,
    ...(recipe.best === undefined ? [] : [`import { ${recipe.best} } from "std/eval"`]),
  ];
}

/** Without a recipe: rows of which each is for validation. */
function dataBlock(name: string, recipe: Recipe | undefined, sources: readonly Source[]): readonly string[] {
  const texts = sources.map(({ text }) => text);
  const mix = recipe?.interleaved === undefined ? undefined : mixOf(texts, recipe.turns);
  return block(
    `data ${name}`,
    {
      source: texts.length === 1 || mix !== undefined ? texts[0] : list(texts),
      mix,
      stopping_strategy: mix === undefined ? undefined : recipe?.interleaved,
      dedupe: recipe?.exactDuplicates === true ? '[exact]' : undefined,
      split: recipe === undefined ? undefined : splitText(recipe),
      limit: recipe?.limit === undefined ? undefined : `${recipe.limit}`,
    },
    recipe?.remarks,
  );
}

/** Every source but the first, which fills what their shares leave. */
function mixOf(texts: readonly string[], turns: readonly number[] = texts.map(() => 1)): string {
  const all = turns.reduce((sum, turn) => sum + turn, 0);
  const shares = turns.slice(1).map((turn) => percent(turn / all));
  return list(texts.slice(1).map((source, index) => record({ source, share: shares[index] }) ?? source));
}

/** Shares of all rows: of `train[:20%]`, of which 5 % are for validation, 19, 1 and 80 %. */
function splitText({ datasets, validShare = 0 }: Recipe): string | undefined {
  const read = datasets.length === 1 ? (splitOf(datasets[0]?.split).share ?? 1) : 1;
  if (read === 1 && validShare === 0) return undefined;
  const valid = Number((read * validShare * 100).toFixed(6));
  const train = Number((read * 100 - valid).toFixed(6));
  return record({
    train: `${train}%`,
    valid: valid === 0 ? undefined : `${valid}%`,
    test: read === 1 ? undefined : `${Number((100 - valid - train).toFixed(6))}%`,
  });
}

function formatBlock(
  name: string,
  from: string,
  recipe: Recipe,
  dataset: Dataset | undefined,
): readonly string[] {
  return block(
    `format ${name}`,
    {
      from,
      template: templateText(recipe, dataset),
      max_length: recipe.maxLength === undefined ? undefined : `${recipe.maxLength}tok`,
      overflow: recipe.overflow === 'drop' ? undefined : recipe.overflow,
      loss_on: recipe.lossOn === 'assistant' ? undefined : recipe.lossOn,
    },
    from === 'rows' ? recipe.remarks : [],
  );
}

/** Templates of messages, or of what becomes messages. */
const hasChatTemplate = (name: string): boolean => ['chat', 'sharegpt', 'preference'].includes(name);

function templateText({ system, style }: Recipe, dataset: Dataset | undefined): string {
  const name = dataset?.template ?? 'chat';
  if (name === 'alpaca' && dataset?.preamble === true) return 'alpaca(preamble: true)';
  if (!hasChatTemplate(name)) return `${name}()`;
  const family = typeof style === 'string' ? styleOf(style) : undefined;
  const args = [
    ...(system === undefined ? [] : [`system: ${quoted(system)}`]),
    ...(family !== undefined ? [`style: ${family}`] : []),
    ...(typeof style === 'object' ? [`style: file(${quoted(style.file)})`] : []),
  ];
  return `${name}(${args.join(', ')})`;
}

/** What several devices share; nothing where the file is for one. */
function budgetBlock(recipe: Recipe): readonly string[] {
  const { isShared = false, nodes = 1, sharding, processes = 1 } = recipe.sharing;
  if (!isShared && nodes === 1 && processes === 1) return [];
  const all = devicesOf(recipe);
  const each = (all ?? Number.NaN) / nodes;
  if (all === undefined) remark(recipe, 'engine', UNCOUNTED);
  else if (!isPlanned(each, nodes)) remark(recipe, 'engine', `There, ${all} devices of ${nodes} machines.`);
  else if (all === 1 && sharding !== undefined)
    remark(recipe, 'engine', `There, \`${sharding}\`; one device has nothing to share.`);
  return block(
    'budget machine',
    {
      engine: 'accelerate',
      devices: isPlanned(each, nodes) ? `${each}` : undefined,
      nodes: nodes === 1 || nodes > MOST_NODES ? undefined : `${nodes}`,
      sharding: all === 1 ? undefined : sharding,
    },
    recipe.remarks,
  );
}

/** Whether a budget may ask for so many devices of each machine. */
const isPlanned = (each: number, nodes: number): boolean =>
  Number.isInteger(each) && each <= MOST_DEVICES && nodes <= MOST_NODES;

const UNCOUNTED =
  'The file does not say how many devices there are: all GPUs of the machine, unless `devices` is set.';

interface NamedModel {
  readonly name: string;
  readonly at: Span;
  readonly revision?: string | undefined;
  readonly specialTokens?: Recipe['specialTokens'];
  readonly plainTokens?: Recipe['plainTokens'];
}

function baseText(recipe: Recipe, folder: string, context: ImportContext): string | Diagnostic {
  const { base, revision, specialTokens, plainTokens } = recipe;
  if (base === undefined) throw new Error('a recipe without a base');
  return modelText({ ...base, revision, specialTokens, plainTokens }, 'the base model', folder, context);
}

/** `saves/base/full`: no name of the Hub has three parts. */
const isDeep = (name: string): boolean => /^[\w.-]+(?:\/[\w.-]+){2,}$/.test(name);

/** `what` it is, for people. */
function modelText(
  { name, at, revision, specialTokens, plainTokens }: NamedModel,
  what: string,
  folder: string,
  context: ImportContext,
): string | Diagnostic {
  const added = { special_tokens: specialTokens, added_tokens: plainTokens };
  const tokens = Object.entries(added)
    .map(([argument, names]) => (names === undefined ? '' : `, ${argument}: ${list(names.map(quoted))}`))
    .join('');
  if (isLocal(name, context) || isDeep(name))
    return `local(${quoted(pathFrom(folder, context.folder, name))}${tokens})`;
  if (!isRepositoryId(name))
    return wrongValue(at, what, 'a folder, or `org/name` of the Hub', quoted(name.slice(0, 60)));
  const pinned = revision !== undefined && revision !== 'main' && isRevision(revision);
  return `hf(${quoted(name)}${pinned ? `, revision: ${quoted(revision)}` : ''}${tokens})`;
}
