/**
 * `preset small for train using lora { … }`: settings that stand in for defaults, and what they require. After `using`: a
 * method, and presets in layers, of which the later ones win.
 */
import * as errors from '../diagnostics/catalogue/names.js';
import { missingSetting } from '../diagnostics/catalogue/values.js';
import { withArticle } from '../diagnostics/make.js';
import type { PresetOrigin, Value, Values } from '../ir/program.js';
import { isPlainRecord } from '../ir/values.js';
import { budgetMetrics, budgetSettings } from '../schemas/stages/budget.js';
import { schemas } from '../schemas/stages/index.js';
import type { Preset, Property, Word } from '../syntax/ast.js';
import type { Context } from './context.js';
import { evaluateEntries } from './fields.js';
import type { Module } from './modules.js';
import { checkRequirement } from './requirements.js';
import type { FtpSymbol, Layer, MetricScope, PresetSymbol, PresetTarget, Scope } from './scope.js';
import { settingHint } from './setting-hints.js';

const TARGETS: readonly string[] = [...Object.keys(schemas), 'budget'];
const isTarget = (word: string): word is PresetTarget => TARGETS.includes(word);

export function presetSymbol(declaration: Preset, module: Module, context: Context): FtpSymbol {
  const { using } = declaration;
  const { text: target, span } = declaration.target;
  if (!isTarget(target)) {
    context.report(errors.unknownKind(span, target, TARGETS));
    return { kind: 'unknown' };
  }
  let state: 'new' | 'busy' | { readonly layers: readonly Layer[] } = 'new';
  const layers = (): readonly Layer[] => {
    if (state === 'busy') {
      context.report(errors.presetCycle(declaration.name.span, declaration.name.text));
      state = { layers: [] };
    }
    if (state === 'new') {
      state = 'busy';
      const found = [...layersOf(using, target, context), ownLayer(symbol, module, context)];
      if (state === 'busy') state = { layers: found };
    }
    return typeof state === 'object' ? state.layers : [];
  };
  let isBusy = false;
  const method = (): string | undefined => {
    if (isBusy) return undefined;
    isBusy = true;
    const found = methodOf(using, target, context.scope);
    isBusy = false;
    return found;
  };
  const symbol: PresetSymbol = {
    kind: 'preset',
    declaration,
    target,
    module: module.name,
    require(requirement, measured) {
      const fork = context.fork();
      const checked = checkRequirement(requirement, measured, module.source, fork);
      return { checked, uses: fork.uses, problem: fork.diagnostics[0] };
    },
    layers,
    method,
  };
  return symbol;
}

function ownLayer(symbol: PresetSymbol, module: Module, context: Context): Layer {
  const { declaration, target } = symbol;
  const { name, properties, requirements } = declaration;
  const schema = target === 'budget' ? undefined : schemas[target];
  const where = schema === undefined ? 'a `budget`' : withArticle(`\`${target}\` stage`);
  const settings: Values =
    evaluateEntries(properties, schema?.settings ?? budgetSettings, context, {
      path: '',
      partial: true,
      missing: (key, doc) => missingSetting(name.span, `\`${name.text}\``, key, doc),
      unknown: (key, known, value) =>
        errors.unknownSetting(
          key.span,
          key.text,
          where,
          settingHint(key, value, { known, block: blockOf(target, properties) }),
        ),
    }) ?? {};
  // Whether it is measured, and compared with a baseline, the stage that applies it decides.
  const measured: MetricScope = {
    where,
    metrics: schema?.metrics ?? budgetMetrics,
    ofStages: schema === undefined ? 'all' : 'measured',
    baseline:
      schema !== undefined && Object.hasOwn(schema.settings, 'baseline')
        ? { isSet: true, insertAt: 0 }
        : undefined,
  };
  const sound = requirements.filter(
    (requirement) => checkRequirement(requirement, measured, module.source, context) !== undefined,
  );
  return { preset: symbol, settings, requirements: sound, word: name };
}

const blockOf = (kind: PresetTarget, properties: readonly Property[]) => ({
  kind,
  sets: properties.map(({ key }) => key.text),
});

const methodsOf = (kind: PresetTarget): readonly string[] => (kind === 'budget' ? [] : schemas[kind].presets);

/** The method that a block or preset has: its own, or that of the last preset which chooses one. */
export function methodOf(using: readonly Word[], kind: PresetTarget, scope: Scope): string | undefined {
  const methods = methodsOf(kind);
  const own = using.find(({ text }) => methods.includes(text));
  if (own !== undefined) return own.text;
  for (const { text } of [...using].reverse()) {
    const symbol = scope.lookup(text);
    const method = symbol?.kind === 'preset' ? symbol.method() : undefined;
    if (method !== undefined) return method;
  }
  return undefined;
}

/** The presets that a block or preset applies, first to last; what is wrong with the words is reported. */
export function layersOf(using: readonly Word[], kind: PresetTarget, context: Context): readonly Layer[] {
  const methods = methodsOf(kind);
  const seen = new Map<string, Word>();
  let method: Word | undefined;
  return using.flatMap((word): readonly Layer[] => {
    const first = seen.get(word.text);
    seen.set(word.text, first ?? word);
    if (first !== undefined) return report(errors.appliedTwice(word.span, word.text, first.span), context);
    if (methods.includes(word.text)) {
      if (method !== undefined)
        return report(errors.secondMethod(word.span, word.text, method.text, method.span), context);
      method = word;
      return [];
    }
    const symbol = context.scope.lookup(word.text);
    if (symbol?.kind === 'unknown') return [];
    const module = symbol === undefined ? context.scope.moduleOf(word.text) : undefined;
    if (module !== undefined) {
      const importing = (names: string) => context.scope.importing(names, module);
      return report(errors.notImported({ names: [word], module, importing }), context);
    }
    if (symbol?.kind !== 'preset') {
      const known = [...methods, ...presetsFor(kind, context.scope)];
      return report(errors.unknownPreset(word.span, word.text, kind, known), context);
    }
    if (symbol.target !== kind)
      return report(errors.presetOfOtherKind(word.span, word.text, symbol.target, kind), context);
    return symbol.layers().map((layer) => ({ ...layer, word }));
  });
}

const report = (diagnostic: Parameters<Context['report']>[0], context: Context): readonly Layer[] => {
  context.report(diagnostic);
  return [];
};

const presetsFor = (kind: PresetTarget, scope: Scope): readonly string[] =>
  scope.declared('preset').filter((name) => {
    const symbol = scope.own.get(name);
    return symbol?.kind === 'preset' && symbol.target === kind;
  });

/** Layers as one set of values, and which preset each path of it comes from. */
export function merged(layers: readonly Layer[]): {
  readonly values: Values | undefined;
  readonly sources: Readonly<Record<string, PresetOrigin>>;
} {
  if (layers.length === 0) return { values: undefined, sources: {} };
  const sources: Record<string, PresetOrigin> = {};
  let values: Values = {};
  for (const { preset, settings } of layers) {
    const origin = { preset: preset.declaration.name.text, module: preset.module };
    values = over(values, settings, '', (path) => {
      sources[path] = origin;
    });
  }
  return { values, sources };
}

/** `lora: { rank: 4 }` over `lora: { alpha: 8 }`: records are joined, every other value is replaced. */
function over(below: Values, above: Values, path: string, mark: (path: string) => void): Values {
  const joined: Record<string, Value> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const at = path === '' ? key : `${path}.${key}`;
    const under = below[key];
    mark(at);
    joined[key] = isPlainRecord(value) ? over(isPlainRecord(under) ? under : {}, value, at, mark) : value;
  }
  return joined;
}
