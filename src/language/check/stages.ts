/**
 * The blocks of a pipeline, checked in one combination of its matrices' values: each as a stage or a budget, its settings
 * against the schema of its kind, and what it requires.
 */
import * as names from '../diagnostics/catalogue/names.js';
import * as errors from '../diagnostics/catalogue/values.js';
import { sharesDoNotAddUp } from '../diagnostics/catalogue/values.js';
import { presetNeeds } from '../diagnostics/catalogue/wiring.js';
import { withArticle } from '../diagnostics/make.js';
import type { Hint } from '../diagnostics/types.js';
import type { Budget, PresetOrigin, Requirement, Stage, Value, Values } from '../ir/program.js';
import { isRecord } from '../ir/values.js';
import type { StageSchema } from '../schemas/schema.js';
import { atOrAbove } from '../schemas/setting-paths.js';
import { budgetMetrics, budgetSettings } from '../schemas/stages/budget.js';
import type { Span } from '../source/span.js';
import { type SourceText, spanText } from '../source/text.js';
import type { Block, Expression, Property, Word } from '../syntax/ast.js';
import { Context } from './context.js';
import { evaluateEntries } from './fields.js';
import type { Module } from './modules.js';
import { layersOf, merged } from './presets.js';
import { checkRequirement, endOf, metricNamed } from './requirements.js';
import { isValue, type Layer, type MetricScope, type PortUse, type StageSymbol } from './scope.js';
import { type SettingPlace, settingHint } from './setting-hints.js';
import { formatQuantity } from './units.js';

export interface CheckedStage {
  readonly stage: Stage;
  readonly block: Block;
  readonly schema: StageSchema;
  readonly uses: readonly PortUse[];
  /** Every setting and requirement is valid. */
  readonly isSound: boolean;
}

function checkStage(
  symbol: StageSymbol & { readonly schema: StageSchema },
  file: Context,
  source: SourceText,
): CheckedStage {
  const { block, schema, method } = symbol;
  const context = new Context(file.scope, file.access);
  const layers = layersOf(block.using, schema.kind, context);
  const preset = merged(layers);
  const settings = checkSettings(block, schema, { values: preset.values, layers }, source, context);
  const what = measured(block, schema, settings, preset.values);
  const requires = [
    ...block.requirements.flatMap(
      (requirement) => checkRequirement(requirement, what, source, context) ?? [],
    ),
    ...layers.flatMap((layer) => presetRequirements(layer, what, context)),
  ];
  if (settings !== undefined) checkShares(block, settings, context);
  file.diagnostics.push(...context.diagnostics);
  return {
    stage: {
      kind: schema.kind,
      name: block.name.text,
      preset: method,
      settings: settings ?? {},
      origins: context.origins,
      ...presetOrigins(context, preset.sources),
      requires,
      inputs: [],
      doc: block.doc,
      span: block.span,
    },
    block,
    schema,
    uses: context.uses,
    isSound: settings !== undefined && context.errors === 0,
  };
}

function presetOrigins({ origins }: Context, sources: Readonly<Record<string, PresetOrigin>>) {
  if (Object.keys(sources).length === 0) return {};
  const presets = Object.entries(origins).flatMap(([path, origin]) => {
    const source = origin === 'preset' ? atOrAbove(sources, path) : undefined;
    return source === undefined ? [] : [[path, source] as const];
  });
  return presets.length === 0 ? {} : { presets: Object.fromEntries(presets) };
}

/** What a preset requires, of the stage that applies it. */
function presetRequirements(
  { preset, requirements, word }: Layer,
  what: MetricScope,
  context: Context,
): readonly Requirement[] {
  return requirements.flatMap((requirement) => {
    const { checked, uses, problem } = preset.require(requirement, what);
    context.uses.push(...uses);
    if (problem !== undefined)
      context.report(presetNeeds(word.span, word.text, problem.message, requirement.span, problem.help));
    return checked ?? [];
  });
}

function checkSettings(
  block: Block,
  schema: StageSchema,
  presets: { readonly values: Values | undefined; readonly layers: readonly Layer[] },
  source: SourceText,
  context: Context,
): Values | undefined {
  const where = withArticle(`\`${schema.kind}\` stage`);
  const heading = { ...block.kind.span, end: block.name.span.end };
  const place = placesIn(block);
  return evaluateEntries(block.properties, schema.settings, context, {
    path: '',
    block: schema.kind,
    preset: presets.values,
    missing: (key, doc) =>
      setBy(presets.layers, key)
        ? undefined
        : errors.missingSetting(heading, `\`${block.name.text}\``, key, doc),
    unknown: (key, known, value) =>
      key.text === 'using'
        ? usingAsSetting(block, key, source)
        : names.unknownSetting(
            key.span,
            key.text,
            where,
            wholeLines(settingHint(key, value, place(known)), source),
          ),
  });
}

/** What a hint has to know of a block, listed once: a block may have many unknown settings. */
function placesIn({ kind, properties }: Block): (known: readonly string[]) => SettingPlace {
  const block = { kind: kind.text, sets: properties.map(({ key }) => key.text) };
  return (known) => ({ known, block });
}

function usingAsSetting({ name, using, properties }: Block, key: Word, source: SourceText) {
  const value = properties.find((property) => property.key === key)?.value;
  const plain = { ...key.span, end: value?.span.end ?? key.span.end };
  const whole = withIndent(plain, source);
  const headingEnd = using.at(-1)?.span ?? name.span;
  if (value?.kind === 'call') {
    const [first, last] = [value.args[0], value.args.at(-1)?.value.span];
    const start = (first?.name ?? first?.value)?.span;
    const text = start && last && spanText(source, { ...start, end: last.end });
    const settings = text === undefined ? undefined : { text, at: plain };
    return names.usingInBlock(key.span, value.callee.text, whole, headingEnd, settings);
  }
  const written = value === undefined ? '' : spanText(source, value.span).replace(/^\[\s*|\s*\]$/g, '');
  return names.usingInBlock(key.span, written, whole, headingEnd);
}

/** What removes a setting removes its line. */
const wholeLines = ({ fixes = [], ...hint }: Hint, source: SourceText): Hint => ({
  ...hint,
  fixes: fixes.map((fix) => ({
    ...fix,
    edits: fix.edits.map((edit) =>
      edit.text === '' ? { ...edit, span: withIndent(edit.span, source) } : edit,
    ),
  })),
});

/** A setting with its indentation and its line end, where nothing else is on its line. */
function withIndent(span: Span, source: SourceText): Span {
  const { text } = source;
  const indent = text.slice(text.lastIndexOf('\n', span.start - 1) + 1, span.start);
  if (!/^[ \t]*$/.test(indent)) return span;
  const rest = /^[ \t]*,?[ \t]*(?:\r?\n|$)/.exec(text.slice(span.end));
  return rest === null
    ? span
    : { ...span, start: span.start - indent.length, end: span.end + rest[0].length };
}

/** A preset sets it, though its value may be wrong, which has been reported there. */
const setBy = (layers: readonly Layer[], key: string): boolean =>
  layers.some(({ preset }) => preset.declaration.properties.some((property) => property.key.text === key));

/** `checked` is `undefined` if a setting has an error; what is written stands in for it then. */
function measured(
  block: Block,
  schema: StageSchema,
  checked: Values | undefined,
  preset: Values | undefined,
): MetricScope {
  const settings = checked ?? preset ?? {};
  const find = (key: string): Property | undefined =>
    block.properties.find((property) => property.key.text === key);
  const listed = find('metrics');
  return {
    where: `\`${block.name.text}\``,
    block,
    metrics: schema.metrics,
    own: block.name.text,
    ofStages: 'measured',
    listed: !Object.hasOwn(schema.settings, 'metrics')
      ? undefined
      : listed?.value.kind === 'list'
        ? listedMetrics(listed.value)
        : chosenMetrics(settings['metrics']),
    baseline: Object.hasOwn(schema.settings, 'baseline')
      ? {
          isSet:
            settings['baseline'] !== undefined || (checked === undefined && find('baseline') !== undefined),
          insertAt: block.span.end - 1,
        }
      : undefined,
  };
}

/** Metrics that a preset chose. */
const chosenMetrics = (value: Value | undefined): MetricScope['listed'] =>
  Array.isArray(value)
    ? { names: new Set(value.map((item) => String(item.call))), end: undefined }
    : undefined;

const listedMetrics = (list: Extract<Expression, { kind: 'list' }>) => ({
  names: new Set(list.items.flatMap((item) => metricNamed(item) ?? [])),
  end: endOf(list),
});

function checkBudget(block: Block, file: Context, source: SourceText): Budget {
  const layers = layersOf(block.using, 'budget', file);
  const place = placesIn(block);
  const settings = evaluateEntries(block.properties, budgetSettings, file, {
    path: '',
    preset: merged(layers).values,
    missing: () => undefined,
    unknown: (key, known, value) =>
      names.unknownSetting(key.span, key.text, 'a `budget`', settingHint(key, value, place(known))),
  });
  const limits: MetricScope = { where: 'a `budget`', metrics: budgetMetrics, ofStages: 'all' };
  return {
    name: block.name.text,
    settings: settings ?? {},
    requires: [
      ...block.requirements.flatMap(
        (requirement) => checkRequirement(requirement, limits, source, file) ?? [],
      ),
      ...layers.flatMap((layer) => presetRequirements(layer, limits, file)),
    ],
    span: block.span,
  };
}

export interface Blocks {
  readonly stages: readonly CheckedStage[];
  readonly budgets: readonly Budget[];
}

/** `wanted`: the stages that are of interest; budgets and presets always are. */
export function checkBlocks(
  main: Module,
  context: Context,
  wanted: (stage: string) => boolean = () => true,
): Blocks {
  const stages: CheckedStage[] = [];
  const budgets: Budget[] = [];
  for (const symbol of context.scope.own.values()) {
    if (symbol.kind === 'preset') symbol.layers();
    if (symbol.kind === 'machine') symbol.settings();
    if (symbol.kind === 'budget') budgets.push(checkBudget(symbol.block, context, main.source));
    if (symbol.kind === 'stage' && symbol.schema !== undefined && wanted(symbol.block.name.text))
      stages.push(checkStage({ ...symbol, schema: symbol.schema }, context, main.source));
  }
  return { stages, budgets };
}

/** The values that are the same in every combination; evaluating them all reports what is wrong with them. */
export function evaluateParams(
  context: Context,
  varies: (name: string) => boolean = () => false,
): Readonly<Record<string, Value>> {
  const values = [...context.scope.own].flatMap(([name, symbol]) => {
    const value = isValue(symbol) ? symbol.constant()?.value : undefined;
    return value === undefined || varies(name) ? [] : [[name, value] as const];
  });
  return Object.fromEntries(values);
}

/** Sides of a split that rows go to. */
const SIDES = ['train', 'valid', 'test'] as const;
/** Shares are decimal literals in binary: this much is rounding. */
const ROUNDING = 1e-9;

/** The shares of a `split` give every row one side. */
function checkShares(block: Block, settings: Values, context: Context): void {
  const { split } = settings;
  const written = block.properties.find(({ key }) => key.text === 'split');
  if (!isRecord(split) || written === undefined || block.kind.text !== 'data') return;
  const total = SIDES.reduce((sum, side) => sum + Number(split[side] ?? 0), 0);
  if (Math.abs(total - 1) > ROUNDING)
    context.report(sharesDoNotAddUp(written.value.span, formatQuantity(total, 'ratio')));
}
