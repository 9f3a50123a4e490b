/** What is after `using`: a method, and presets in layers, of which the later ones win. */
import * as errors from '../diagnostics/catalogue/names.js';
import type { PresetOrigin, Value, Values } from '../ir/program.js';
import { isPlainRecord } from '../ir/values.js';
import { schemas } from '../schemas/stages/index.js';
import type { Word } from '../syntax/ast.js';
import type { Context } from './context.js';
import type { Scope } from './scope.js';
import type { Layer, PresetTarget } from './symbols.js';

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
      const insertion = context.scope.importing(word.text, module);
      return report(errors.notImported(word.span, word.text, module, insertion), context);
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
