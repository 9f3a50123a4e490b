/** `preset small for train using lora { … }`: settings that stand in for defaults, and what they require. */

import * as errors from '../diagnostics/catalogue/names.js';
import { missingSetting } from '../diagnostics/catalogue/values.js';
import type { Values } from '../ir/program.js';
import { budgetMetrics, budgetSettings } from '../schemas/stages/budget.js';
import { schemas } from '../schemas/stages/index.js';
import type { Preset } from '../syntax/ast.js';
import type { Context } from './context.js';
import { evaluateEntries } from './fields.js';
import type { MetricScope } from './metric-scope.js';
import type { Module } from './modules.js';
import { checkRequirement } from './requirements.js';
import type { FtpSymbol, Layer, PresetSymbol, PresetTarget } from './symbols.js';
import { layersOf, methodOf } from './using.js';

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
  const where = schema === undefined ? 'a `budget`' : `a \`${target}\` stage`;
  const settings: Values =
    evaluateEntries(properties, schema?.settings ?? budgetSettings, context, {
      path: '',
      partial: true,
      missing: (key, doc) => missingSetting(name.span, `\`${name.text}\``, key, doc),
      unknown: (key, known) => errors.unknownSetting(key.span, key.text, where, known),
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
