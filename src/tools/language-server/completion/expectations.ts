/** Inside of `test "…" { … }`: its settings, and what an expectation can refer to. */
import { typeNoun } from '../../../language/check/nouns.js';
import { isTestFile } from '../../../language/diagnostics/catalogue/syntax.js';
import type { Unit } from '../../../language/ir/program.js';
import type { Setting } from '../../../language/schemas/schema.js';
import { alternative } from '../../../language/schemas/setting-paths.js';
import { lookUp } from '../../../language/source/look-up.js';
import { machineNames } from '../../../pipeline/planner/machines.js';
import { CHOSEN, type Fields } from '../../pipeline-tests/fields.js';
import { testSettings } from '../../pipeline-tests/settings.js';
import { type Frame, keysFrom } from '../cursor/frames.js';
import { type IToken, isOperand, isSets } from '../cursor/tokens.js';
import { settingText } from '../describe.js';
import { schemaOf } from '../names/block-schemas.js';
import {
  fieldsOf,
  fieldsOfStage,
  fieldText,
  isRoot,
  isUnit,
  OTHER_SETTINGS,
  type PipelineNames,
  paramType,
  ROOT_DOCS,
} from '../names/test-names.js';
import { pipelineOf } from '../projects.js';
import { JOINING, NEGATION, named } from './conditions.js';
import { valueSnippet } from './keys.js';
import { type Proposal, type Proposals, propose, type Request } from './request.js';
import { valuesOf } from './value-proposals.js';

type Block = Extract<Frame, { kind: 'block' }>;

export const testBlock = ({ cursor }: Request): Block | undefined =>
  cursor.frames.find(
    (frame): frame is Block => frame.kind === 'block' && frame.head[0]?.tokenType.name === 'Test',
  );

export function inTest(block: Block, request: Request): Proposals {
  const { frame } = request;
  if (frame.kind === 'record')
    return frame.statement.length === 0
      ? parameters(frame, block, request)
      : parameterValues(frame, block, request);
  const [first, second] = block.statement;
  if (first === undefined) return settings(block, request);
  if (first.image === 'expect') return expectable(block, request);
  if (first.image === 'machine' && isSets(second)) return machines(request);
  const table: Readonly<Record<string, Setting>> = testSettings;
  return isSets(second) ? valuesOf(table[first.image]?.type, request) : [];
}

function settings(block: Block, { cursor }: Request): Proposals {
  const taken = new Set(keysFrom(cursor.tokens, block.open).filter((key) => key !== cursor.partial?.image));
  const table = Object.entries(testSettings).map(([label, setting]) =>
    propose('Property', label, {
      detail: typeNoun(setting.type),
      doc: settingText(setting),
      insert: `${label} = ${valueSnippet(setting)}`,
      sort: 'b',
    }),
  );
  return [
    property('with', 'with = { $1 }', 'a record `{ … }`'),
    property('machine', 'machine = $1', 'a machine'),
    ...table,
    propose('Keyword', 'expect', { insert: 'expect $1', detail: 'a condition', sort: 'a' }),
  ].filter(({ label }) => !taken.has(label));
}

const property = (label: keyof typeof OTHER_SETTINGS, insert: string, detail: string): Proposal =>
  propose('Property', label, { insert, detail, doc: OTHER_SETTINGS[label], sort: 'b' });

const words = (labels: readonly string[]): Proposals => labels.map((label) => propose('EnumMember', label));

/** A name with a dash is not a word of the language. */
const machines = ({ session, view }: Request): Proposals =>
  machineNames(session.projects.hostAt(view.compiled.path)).map((label) =>
    propose('EnumMember', label, { insert: /^\w+$/.test(label) ? label : JSON.stringify(label) }),
  );

type Braces = Extract<Frame, { open: IToken }>;

const valued = (block: Block, request: Request) =>
  [...pipelineAt(block, request)].flatMap(([label, declared]) =>
    'type' in declared.node ? [{ label, node: declared.node }] : [],
  );

function parameters(frame: Braces, block: Block, request: Request): Proposals {
  const taken = new Set(keysFrom(request.cursor.tokens, frame.open));
  const sign = isSets(request.cursor.next) ? '' : ': $1';
  return valued(block, request)
    .filter(({ label }) => !taken.has(label))
    .map(({ label, node }) =>
      propose('Property', label, { detail: node.type.text, doc: node.doc, insert: `${label}${sign}` }),
    );
}

function parameterValues({ statement }: Braces, block: Block, request: Request): Proposals {
  const [key, sets] = statement;
  if (!isSets(sets) || statement.length > 2) return [];
  const param = valued(block, request).find(({ label }) => label === key?.image);
  return valuesOf(param && paramType(param.node.type.text), request);
}

/** Names after `expect`, or after the dots of one: `plan.adapter.chosen.`; next to `==` the words that it can be. */
function expectable(block: Block, request: Request): Proposals {
  const { statement } = block;
  const path = pathBefore(statement, statement.length - 1);
  const last = statement.at(-1)?.image;
  if (path.length > 0) return namesAfter(path, block, request);
  if (last === '==' || last === '!=') {
    const [name, ...before] = [statement.at(-2)?.image, ...pathBefore(statement, statement.length - 3)];
    const compared = tableAfter(before, block, request)[name ?? ''];
    if (compared?.words !== undefined) return words(compared.words);
  }
  if (statement.length > 1 && isOperand(statement.at(-1))) return JOINING;
  const roots = Object.entries(ROOT_DOCS).map(([label, doc]) => propose('Module', label, { doc }));
  return [...roots, ...NEGATION];
}

/** Units of the setting, or of what an expectation compares the number with; `undefined`: of any. */
export function unitsInTest(block: Block, request: Request): readonly Unit[] | undefined {
  const { statement } = block;
  const [first] = statement;
  const table: Readonly<Record<string, Setting>> = testSettings;
  const type = lookUp(table, first?.image)?.type;
  if (type !== undefined) return type.kind === 'quantity' ? type.units : [];
  const units = statement.flatMap(({ image }, at): readonly Unit[] => {
    const fields = tableAfter(pathBefore(statement, at - 1), block, request);
    const type = lookUp(fields, image)?.type;
    return type === undefined || !isUnit(type) ? [] : [type];
  });
  return units.length === 0 ? undefined : [...new Set(units)];
}

function namesAfter(path: readonly string[], block: Block, request: Request): Proposals {
  const [root, stage, group] = path;
  if (!isRoot(root)) return [];
  const stageNames = [...pipelineAt(block, request).values()].flatMap(
    (declared): Proposals =>
      declared.what === 'stage'
        ? [propose('Class', declared.name.text, { detail: declared.node.kind.text })]
        : [],
  );
  const table = fields(tableAfter(path, block, request));
  if (stage === undefined) return [...table, ...stageNames, REPORTS];
  const kind = kindOfStage(stage, block, request);
  const schema = kind === undefined ? undefined : schemaOf(kind);
  if (stage === 'stages' && group === undefined) return stageNames;
  if (schema === undefined || (root === 'plan' && group === 'chosen')) return table;
  if (root === 'program' || group === 'settings')
    return settingsAfter(path.slice(root === 'program' ? 2 : 3), schema.settings);
  if (group !== undefined) return [];
  return root === 'run'
    ? [...table, ...named(schema.metrics)]
    : [...table, ...words(['settings', ...(kind === 'train' ? ['chosen'] : [])])];
}

const REPORTS: Proposals[number] = propose('Method', 'reports', {
  detail: 'a diagnostic with this code came up',
  insert: 'reports("$1")',
  sort: 'z',
});

function settingsAfter(path: readonly string[], table: Readonly<Record<string, Setting>>): Proposals {
  const [first, ...rest] = path;
  if (first === undefined)
    return Object.entries(table).map(([label, setting]) =>
      propose('Property', label, { detail: typeNoun(setting.type), doc: settingText(setting) }),
    );
  const type = lookUp(table, first)?.type;
  return settingsAfter(rest, alternative(type, 'record')?.fields ?? {});
}

/** Fields after a path of names. */
function tableAfter(path: readonly string[], block: Block, request: Request): Fields<never> {
  const [root, stage, group] = path;
  if (!isRoot(root)) return {};
  if (stage === undefined) return fieldsOf[root];
  const kind = kindOfStage(stage, block, request);
  if (kind === undefined) return {};
  if (root === 'plan' && group === 'chosen') return kind === 'train' ? CHOSEN : {};
  return group === undefined ? fieldsOfStage[root] : {};
}

function kindOfStage(name: string, block: Block, request: Request): string | undefined {
  const declared = pipelineAt(block, request).get(name);
  return declared?.what === 'stage' ? declared.node.kind.text : undefined;
}

const fields = (table: Fields<never>): Proposals =>
  Object.entries(table).map(([label, field]) => propose('Field', label, { detail: fieldText(field) }));

/** `plan`, `adapter` for `… plan.adapter.`, whose last dot is `at`; none if no dot is there. */
function pathBefore(statement: readonly IToken[], at: number): readonly string[] {
  const path: string[] = [];
  for (let dot = at; statement[dot]?.image === '.'; dot -= 2) path.unshift(statement[dot - 1]?.image ?? '');
  return path;
}

/** What the pipeline of the test declares, as far as it can be read. */
function pipelineAt(block: Block, { view, session }: Request): PipelineNames {
  const { module } = view;
  if (!isTestFile(module.source.file)) return new Map();
  const test = module.tree.tests.find(
    ({ span }) => span.start <= block.open.startOffset && block.open.startOffset < span.end,
  );
  return session.projects.declaredAt(pipelineOf(module.path, test));
}
