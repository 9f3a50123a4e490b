/** A block as a stage or a budget: its settings against the schema of its kind, and what it requires. */
import * as names from '../diagnostics/catalogue/names.js';
import * as errors from '../diagnostics/catalogue/values.js';
import type { Budget, Stage } from '../ir/types.js';
import type { Span } from '../source/span.js';
import type { SourceText } from '../source/text.js';
import { budgetMetrics } from '../stages/budget.js';
import type { StageSchema } from '../stages/schema.js';
import type { Block, Expression, Property } from '../syntax/ast.js';
import { Context, type PortUse } from './context.js';
import { evaluateEntries, type Values } from './fields.js';
import { checkRequirement, type Measured } from './requirements.js';
import { checkShares } from './shares.js';
import type { StageSymbol } from './symbols.js';

export interface CheckedStage {
  readonly stage: Stage;
  readonly block: Block;
  readonly schema: StageSchema;
  readonly uses: readonly PortUse[];
  /** Every setting and requirement is sound. */
  readonly isSound: boolean;
}

export function checkStage(
  symbol: StageSymbol & { readonly schema: StageSchema },
  file: Context,
  source: SourceText,
): CheckedStage {
  const { block, schema, method } = symbol;
  const context = new Context(file.scope, file.world);
  const settings = checkSettings(block, schema, context);
  const requires = block.requirements.flatMap(
    (requirement) => checkRequirement(requirement, measured(block, schema), source, context) ?? [],
  );
  if (settings !== undefined) checkShares(block, settings, context);
  file.diagnostics.push(...context.diagnostics);
  return {
    stage: {
      kind: schema.kind,
      name: block.name.text,
      preset: method,
      settings: settings ?? {},
      origins: context.origins,
      requires,
      inputs: [],
      doc: block.doc,
      span: block.span,
    },
    block,
    schema,
    uses: context.uses,
    isSound: settings !== undefined && context.diagnostics.length === 0,
  };
}

function checkSettings(block: Block, schema: StageSchema, context: Context): Values | undefined {
  const where = `a \`${schema.kind}\` stage`;
  const heading = { ...block.kind.span, end: block.name.span.end };
  return evaluateEntries(block.properties, schema.settings, context, {
    path: '',
    preset: preset(block, schema, context),
    missing: (key, doc) => errors.missingSetting(heading, `\`${block.name.text}\``, key, doc),
    unknown: (key, known) => names.unknownSetting(key.span, key.text, where, known),
  });
}

function preset(block: Block, schema: StageSchema, context: Context): Values | undefined {
  const { using } = block;
  if (using === undefined || schema.presets.includes(using.text)) return undefined;
  const symbol = context.scope.lookup(using.text);
  if (symbol?.kind === 'unknown') return undefined;
  if (symbol?.kind !== 'preset') {
    const known = [...schema.presets, ...context.scope.declared('preset')];
    return context.report(names.unknownPreset(using.span, using.text, schema.kind, known));
  }
  if (symbol.target === schema.kind) return symbol.settings();
  return context.report(names.presetOfOtherKind(using.span, using.text, symbol.target, schema.kind));
}

function measured(block: Block, schema: StageSchema): Measured {
  const find = (key: string): Property | undefined =>
    block.properties.find((property) => property.key.text === key);
  const listed = find('metrics');
  return {
    where: `\`${block.name.text}\``,
    metrics: schema.metrics,
    listed:
      Object.hasOwn(schema.settings, 'metrics') && listed?.value.kind === 'list'
        ? listedMetrics(listed.value)
        : undefined,
    baseline: Object.hasOwn(schema.settings, 'baseline')
      ? { isSet: find('baseline') !== undefined, insertAt: block.span.end - 1 }
      : undefined,
  };
}

function listedMetrics(list: Extract<Expression, { kind: 'list' }>) {
  const found = new Set<string>();
  for (const item of list.items) {
    if (item.kind === 'call') found.add(item.callee.text);
    if (item.kind === 'reference' && item.path[0] !== undefined) found.add(item.path[0].text);
  }
  const last = list.items.at(-1)?.span;
  const end: Span | undefined = last === undefined ? undefined : { ...last, start: last.end };
  return { names: found, end };
}

export function checkBudget(block: Block, file: Context, source: SourceText): Budget {
  for (const { key } of block.properties)
    file.report(names.unknownSetting(key.span, key.text, 'a `budget`', []));
  if (block.using !== undefined)
    file.report(names.unknownPreset(block.using.span, block.using.text, 'budget', []));
  const limits: Measured = { where: 'a `budget`', metrics: budgetMetrics };
  return {
    name: block.name.text,
    requires: block.requirements.flatMap(
      (requirement) => checkRequirement(requirement, limits, source, file) ?? [],
    ),
    span: block.span,
  };
}
