/** Values that a place takes: words, names, calls, ports, forms. */
import { portNoun, typeNoun } from '../../../language/check/nouns.js';
import { PARAM_TYPES } from '../../../language/check/params.js';
import { portType } from '../../../language/check/ports.js';
import { valueText } from '../../../language/check/value-text.js';
import type { PortType, Setting, SettingType } from '../../../language/schemas/schema.js';
import { alternative, alternatives } from '../../../language/schemas/setting-paths.js';
import { lookUp } from '../../../language/source/look-up.js';
import { expectedIn, fieldsIn } from '../cursor/expected.js';
import { isSets } from '../cursor/tokens.js';
import { ftp, headOf, paragraphs, portText } from '../describe.js';
import { schemaOf } from '../names/block-schemas.js';
import { namesIn, type StageDeclaration, stagesIn } from '../names/targets.js';
import { conditionIn, metricsAfter, named } from './conditions.js';
import { formOf } from './keys.js';
import { functionProposals } from './library-proposals.js';
import { escaped, type Proposals, propose, type Request } from './request.js';

export function valueProposals(request: Request): Proposals {
  if (request.cursor.next?.image === '?') return valueNames(request, { kind: 'boolean' });
  const type = expectedIn(request.cursor.frames);
  if (type === undefined) return valueNames(request, undefined);
  return [
    ...alternatives(type).flatMap((one) => proposalsFor(one, request)),
    ...standard(request),
    ...leftOut(request),
    ...valueNames(request, type),
  ];
}

/** Values of a type in another place than a setting's own. */
export const valuesOf = (type: SettingType | undefined, request: Request): Proposals => [
  ...alternatives(type).flatMap((one) => proposalsFor(one, request)),
  ...(type === undefined ? [] : valueNames(request, type)),
];

type Of<K extends SettingType['kind']> = Extract<SettingType, { kind: K }>;
type Propose<K extends SettingType['kind']> = (type: Of<K>, request: Request) => Proposals;

const form = (type: SettingType): Proposals => {
  const insert = formOf(type);
  return insert === undefined
    ? []
    : [propose('Snippet', FORMS[type.kind] ?? insert, { detail: typeNoun(type), insert, sort: 'b' })];
};

const FORMS: Partial<Readonly<Record<SettingType['kind'], string>>> = {
  record: '{ … }',
  map: '{ … }',
  list: '[ … ]',
  file: 'file("…")',
  string: '"…"',
};

const word = (label: string, detail: string): Proposals => [
  propose('EnumMember', label, { detail, sort: 'a' }),
];

const PROPOSE: { readonly [K in SettingType['kind']]: Propose<K> } = {
  boolean: () => [...word('true', 'on'), ...word('false', 'off')],
  integer: () => [],
  number: () => [],
  quantity: () => [],
  string: form,
  enum: (type) => type.values.flatMap((value) => word(value, 'choice')),
  list: (type, request) => [
    ...form(type),
    // What the list may hold, with the brackets around it.
    ...alternatives(type.of)
      .flatMap((of) => proposalsFor(of, request))
      .map((one) => ({ ...one, insert: `[${one.insert ?? escaped(one.label)}$0]`, sort: 'c' })),
  ],
  record: form,
  map: form,
  call: (type, request) => functionProposals([type.family], request),
  file: (type) => [...(type.library?.names ?? []).flatMap((name) => word(name, 'choice')), ...form(type)],
  port: (type, request) => portsThatFit(type.accepts, request),
  secret: (_, { view }) => secretsOf(view),
  none: () => word('none', 'nothing'),
  union: () => [],
};

function proposalsFor(type: SettingType, request: Request): Proposals {
  // The table has one entry per kind: the entry found for `type.kind` takes `type`.
  return (PROPOSE[type.kind] as Propose<SettingType['kind']>)(type as never, request);
}

/** Ports of the stages that output what is accepted. */
function portsThatFit(accepts: readonly PortType[], { view, frame, cursor }: Request): Proposals {
  const own = cursor.frames.find(({ kind }) => kind === 'block');
  const self = own?.kind === 'block' ? own.head[1]?.image : undefined;
  if (frame.kind === 'top') return [];
  return stagesIn(view.module)
    .filter(({ name }) => name.text !== self)
    .flatMap((stage) =>
      portsOf(stage)
        .filter(({ type }) => accepts.includes(type))
        .map(({ port, type: _, ...texts }) => {
          const label = port === '' ? stage.name.text : `${stage.name.text}.${port}`;
          return propose('Reference', label, { ...texts, sort: 'a' });
        }),
    );
}

/** What a stage outputs, with the method that is named after `using`. */
function portsOf({ name, node }: StageDeclaration) {
  const schema = schemaOf(node.kind.text);
  const method = node.using.find(({ text }) => schema?.presets.includes(text))?.text;
  return Object.entries(schema?.ports ?? {}).map(([port, definition]) => {
    const type = portType(definition, method);
    return { port, type, detail: portNoun([type]), doc: portText(name.text, port, definition) };
  });
}

/** Ports of a stage; in a condition what it measures. */
export function afterDot(name: string, request: Request): Proposals {
  const condition = conditionIn(request);
  if (condition !== undefined) return named(metricsAfter(name, condition, request));
  const stage = stagesIn(request.view.module).find((one) => one.name.text === name);
  const accepts = alternative(expectedIn(request.cursor.frames), 'port')?.accepts;
  return (stage === undefined ? [] : portsOf(stage))
    .filter(({ port }) => port !== '')
    .map(({ port, type, ...texts }) => {
      // What does not fit is after what does.
      const sort = accepts === undefined || accepts.includes(type) ? 'a' : 'z';
      return propose('Field', port, { ...texts, sort });
    });
}

const secretsOf = (view: Request['view']): Proposals =>
  [...namesIn(view.module)].flatMap(
    ([label, target]): Proposals =>
      target.kind === 'declared' && target.declared.what === 'secret'
        ? [propose('Variable', label, { detail: 'secret', sort: 'a' })]
        : [],
  );

/** The setting whose value is being written. */
function settingAt({ cursor: { frames }, frame }: Request): Setting | undefined {
  const key = 'open' in frame ? frame.statement[0]?.image : undefined;
  const fields = fieldsIn(frames);
  return lookUp(fields, key);
}

/** `none` as the whole value of what need not be set, or as one branch of it. */
function leftOut(request: Request): Proposals {
  const setting = settingAt(request);
  const last = request.frame.statement.at(-1);
  return setting?.required === false && (isSets(last) || last?.image === '?')
    ? [propose('Keyword', 'none', { detail: 'omits it', sort: 'f' })]
    : [];
}

/** The value that counts where none is written. */
function standard(request: Request): Proposals {
  const setting = settingAt(request);
  if (setting?.default === undefined || setting.default === null) return [];
  const label = valueText(setting.default, setting.type);
  const isForm = /^[[{]/.test(label) || setting.type.kind === 'enum' || setting.type.kind === 'boolean';
  return isForm
    ? []
    : [propose('Value', label, { detail: 'the default', insert: escaped(label), sort: 'b' })];
}

const simple = new Set<SettingType['kind']>(['integer', 'number', 'quantity', 'boolean', 'string', 'call']);

/** Parameters of the file that may be here; one that is true or false chooses between two values. */
function valueNames({ view, cursor }: Request, type: SettingType | undefined): Proposals {
  const top = cursor.frames[0];
  const isInBlock = cursor.frames.some(({ kind }) => kind === 'block');
  // A parameter that is computed from itself has no value.
  const own = top?.kind === 'top' && !isInBlock ? top.statement[1]?.image : undefined;
  return [...namesIn(view.module)].flatMap(([name, target]): Proposals => {
    if (target.kind !== 'declared' || !('type' in target.declared.node) || name === own) return [];
    const { what, node } = target.declared;
    const given = PARAM_TYPES[node.type.text];
    const proposal = propose('Variable', name, {
      detail: `${what} ${node.type.text}`,
      doc: paragraphs(ftp(headOf(target.declared)), node.doc),
      sort: 'b',
    });
    if (given === undefined || (type === undefined ? given.kind !== 'call' : mayBe(given, type)))
      return [proposal];
    return given.kind === 'boolean'
      ? [{ ...proposal, label: `${name} ? … : …`, filter: name, insert: `${name} ? $1 : $2`, sort: 'e' }]
      : [];
  });
}

/** Whether a parameter of this type may be used as a value of that type. */
function mayBe(given: SettingType, expected: SettingType): boolean {
  return alternatives(expected).some((one) => {
    if (!simple.has(one.kind)) return false;
    if (given.kind === 'call' || one.kind === 'call')
      return given.kind === 'call' && one.kind === 'call' && given.family === one.family;
    if (given.kind === 'quantity' && one.kind === 'quantity')
      return given.units.some((unit) => one.units.includes(unit));
    if (given.kind === 'quantity') return one.kind === 'number' && given.units.includes('ratio');
    return given.kind === one.kind || (given.kind === 'integer' && one.kind === 'number');
  });
}
