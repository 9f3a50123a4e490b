/** `preset small for train using lora { … }`: settings that stand in for defaults. */
import * as errors from '../diagnostics/catalogue/names.js';
import { expected } from '../diagnostics/catalogue/syntax.js';
import { missingSetting } from '../diagnostics/catalogue/values.js';
import type { StageKind } from '../ir/types.js';
import { schemas } from '../stages/schemas.js';
import type { Preset } from '../syntax/ast.js';
import type { Context } from './context.js';
import { evaluateEntries, type Values } from './fields.js';
import type { FtpSymbol } from './symbols.js';

export function presetSymbol(declaration: Preset, context: Context): FtpSymbol {
  const { target, using, name } = declaration;
  const schema = Object.hasOwn(schemas, target.text) ? schemas[target.text as StageKind] : undefined;
  if (schema === undefined) {
    context.report(errors.unknownKind(target.span, target.text, Object.keys(schemas)));
    return { kind: 'unknown' };
  }
  if (using !== undefined && !schema.presets.includes(using.text))
    context.report(errors.unknownPreset(using.span, using.text, schema.kind, schema.presets));
  for (const { span } of declaration.requirements)
    context.report(expected(span, 'a setting', '`require`: a preset only sets'));
  let values: Values | undefined;
  const settings = (): Values => {
    values ??=
      evaluateEntries(declaration.properties, schema.settings, context, {
        path: '',
        partial: true,
        missing: (key, doc) => missingSetting(name.span, `\`${name.text}\``, key, doc),
        unknown: (key, known) =>
          errors.unknownSetting(key.span, key.text, `a \`${schema.kind}\` stage`, known),
      }) ?? {};
    return values;
  };
  return { kind: 'preset', declaration, target: schema.kind, settings };
}
