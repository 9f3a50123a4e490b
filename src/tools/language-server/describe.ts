/** What things are, in Markdown: for hovers and next to completions. */
import { FAMILY_NOUNS, portNoun } from '../../language/check/nouns.js';
import { suffixesOf, unitNoun } from '../../language/check/units.js';
import { valueText } from '../../language/check/value-text.js';
import type {
  FunctionSchema,
  MetricSchema,
  Port,
  Setting,
  StageSchema,
} from '../../language/schemas/schema.js';
import { typeText, unitsOf } from '../insight/settings/type-text.js';
import type { Declaration } from './names/targets.js';

export const code = (text: string): string => `\`${text}\``;

export const ftp = (text: string): string => `\`\`\`ftp\n${text}\n\`\`\``;

export const paragraphs = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('\n\n');

/** Type, units and default of a setting, on one line. */
export function settingFacts({ type, required, default: value }: Setting): string {
  const units = unitsOf(type);
  return [
    typeText(type),
    ...(units.length === 0 ? [] : [`units: ${units.map(code).join(' ')}`]),
    ...(required
      ? ['required']
      : value === undefined
        ? ['optional']
        : [`default: ${code(valueText(value, type))}`]),
  ].join(' · ');
}

export const settingText = (setting: Setting): string => paragraphs(setting.doc, settingFacts(setting));

/** `near(threshold: a number, above 0) : kind of repetition` */
export function signature(name: string, { args, family }: FunctionSchema): string {
  return `${name}(${parameters(args).join(', ')}): ${FAMILY_NOUNS[family]}`;
}

export const parameters = (args: Readonly<Record<string, Setting>>): readonly string[] =>
  Object.entries(args).map(([arg, { required, default: value, type }]) => {
    const standard = value === undefined ? '' : ` = ${valueText(value, type)}`;
    return `${arg}${required ? '' : value === undefined ? '?' : standard}`;
  });

/** What a function does and takes. */
export function functionDoc({ doc, args }: FunctionSchema): string {
  const rows = Object.entries(args).map(
    ([arg, setting]) => `- ${code(arg)}: ${setting.doc} *${settingFacts(setting)}*`,
  );
  return paragraphs(doc, rows.join('\n'));
}

export const functionText = (name: string, schema: FunctionSchema): string =>
  paragraphs(ftp(signature(name, schema)), functionDoc(schema));

export const metricText = (name: string, { doc, unit, known }: MetricSchema): string =>
  paragraphs(
    `${code(name)} · ${unit === 'number' || unit === 'boolean' ? unit : unitNoun(unit)} · known when it is ${known === 'plan' ? 'planned' : 'run'}`,
    doc,
    unit === 'number' || unit === 'boolean' ? undefined : `units: ${suffixesOf([unit]).map(code).join(' ')}`,
  );

export const portText = (stage: string, name: string, { type, doc }: Port): string =>
  paragraphs(ftp(`${stage}.${name}`), `${portNoun([type])}: ${doc}`);

export function kindText({ kind, doc, ports, presets }: StageSchema): string {
  const named = Object.keys(ports).filter((port) => port !== '');
  return paragraphs(
    `**${kind}** stage`,
    doc,
    presets.length === 0 ? undefined : `methods: ${presets.map(code).join(' ')}`,
    named.length === 0 ? undefined : `ports: ${named.map((port) => code(`.${port}`)).join(' ')}`,
  );
}

/** The head of a declaration as it is in the file. */
export function headOf(declared: Declaration): string {
  const { node, module } = declared;
  const text = module.source.text.slice(node.span.start, node.span.end);
  return 'properties' in node ? text.slice(0, Math.max(0, text.indexOf('{'))).trimEnd() : text;
}
