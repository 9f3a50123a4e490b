/** Inside of `test "…" { … }`: its settings, and what an expectation can speak of. */
import { CompletionItemKind } from 'vscode-languageserver/node.js';
import { typeNoun } from '../../check/describe.js';
import { isTestFile } from '../../diagnostics/catalogue/syntax.js';
import {
  CHOSEN,
  type Fields,
  PLAN,
  PLANNED_STAGE,
  PROGRAM,
  ROOTS,
  RUN,
  RUN_STAGE,
} from '../../pipeline-tests/fields.js';
import { testSettings } from '../../pipeline-tests/settings.js';
import { machineNames } from '../../planner/machines.js';
import type { SourceFile } from '../../syntax/ast.js';
import { type Frame, keysFrom } from '../cursor/frames.js';
import { type IToken, isSets } from '../cursor/tokens.js';
import { settingText } from '../describe.js';
import { schemaOf } from '../names/index-of.js';
import { valueSnippet } from './keys.js';
import type { Proposals, Request } from './request.js';

type Block = Extract<Frame, { kind: 'block' }>;

export const testBlock = ({ cursor }: Request): Block | undefined =>
  cursor.frames.find(
    (frame): frame is Block => frame.kind === 'block' && frame.head[0]?.tokenType.name === 'Test',
  );

export function inTest(block: Block, request: Request): Proposals {
  const { frame } = request;
  if (frame.kind === 'record') return frame.statement.length === 0 ? parameters(frame, request) : [];
  const [first, second] = block.statement;
  if (first === undefined) return settings(block, request);
  if (first.image === 'expect') return expectable(block.statement, request);
  if (first.image === 'machine' && isSets(second)) return machines();
  const table: Readonly<Record<string, { readonly type: { readonly kind: string } }>> = testSettings;
  return isSets(second) && table[first.image]?.type.kind === 'boolean' ? words(['true', 'false']) : [];
}

function settings(block: Block, { cursor }: Request): Proposals {
  const taken = new Set(keysFrom(cursor.tokens, block.open).filter((key) => key !== cursor.partial?.image));
  const table = Object.entries(testSettings).map(([label, setting]) => ({
    label,
    kind: CompletionItemKind.Property,
    detail: typeNoun(setting.type),
    doc: settingText(setting),
    insert: `${label} = ${valueSnippet(setting)}`,
    sort: 'b',
  }));
  return [
    property('with', 'with = { $1 }', 'values of the pipeline’s parameters'),
    property('machine', 'machine = $1', 'a machine of the catalogue'),
    ...table,
    { ...property('expect', 'expect $1', 'a condition'), kind: CompletionItemKind.Keyword, sort: 'a' },
  ].filter(({ label }) => !taken.has(label));
}

const property = (label: string, insert: string, detail: string) => ({
  label,
  kind: CompletionItemKind.Property,
  insert,
  detail,
  sort: 'b',
});

const words = (labels: readonly string[]): Proposals =>
  labels.map((label) => ({ label, kind: CompletionItemKind.EnumMember }));

/** A name with a dash is no word of the language. */
const machines = (): Proposals =>
  machineNames().map((label) => ({
    label,
    kind: CompletionItemKind.EnumMember,
    insert: /^\w+$/.test(label) ? label : JSON.stringify(label),
  }));

function parameters(frame: Extract<Frame, { open: IToken }>, request: Request): Proposals {
  const taken = new Set(keysFrom(request.cursor.tokens, frame.open));
  const tree = pipelineOf(request);
  return [...(tree?.params ?? []), ...(tree?.matrices ?? [])]
    .filter(({ name }) => !taken.has(name.text))
    .map(({ name, type, doc }) => ({
      label: name.text,
      kind: CompletionItemKind.Property,
      detail: type.text,
      doc,
      insert: `${name.text}: $1`,
    }));
}

const WHOLE: Readonly<Record<string, Fields<never>>> = { program: PROGRAM, plan: PLAN, run: RUN };

/** Names after `expect`, or after the dots of one: `plan.adapter.chosen.`. */
function expectable(statement: readonly IToken[], request: Request): Proposals {
  const [root, stage, group] = pathBefore(statement);
  if (root === undefined) return words(ROOTS);
  const blocks = (pipelineOf(request)?.blocks ?? []).filter(({ kind }) => kind.text !== 'budget');
  if (stage === undefined)
    return [
      ...fields(WHOLE[root] ?? {}),
      ...blocks.map(({ name, kind }) => ({
        label: name.text,
        kind: CompletionItemKind.Class,
        detail: kind.text,
      })),
    ];
  const kind = blocks.find(({ name }) => name.text === stage)?.kind.text;
  const schema = kind === undefined ? undefined : schemaOf(kind);
  if (schema === undefined) return [];
  if (root === 'plan' && group === 'chosen') return fields(CHOSEN);
  if (root === 'run') return [...fields(RUN_STAGE), ...words(Object.keys(schema.metrics))];
  if (root === 'program' || group === 'settings') return words(Object.keys(schema.settings));
  return group === undefined
    ? [...fields(PLANNED_STAGE), ...words(['settings', ...(kind === 'train' ? ['chosen'] : [])])]
    : [];
}

const fields = (table: Fields<never>): Proposals =>
  Object.entries(table).map(([label, { kind, words }]) => ({
    label,
    kind: CompletionItemKind.Field,
    detail: words === undefined ? kind : words.join(' | '),
  }));

/** `plan`, `adapter` for `… plan.adapter.`; none where the cursor is behind no dot. */
function pathBefore(statement: readonly IToken[]): readonly string[] {
  const path: string[] = [];
  for (let at = statement.length - 1; statement[at]?.image === '.'; at -= 2)
    path.unshift(statement[at - 1]?.image ?? '');
  return path;
}

/** The pipeline with the name of the file of tests, as far as it can be read. */
function pipelineOf({ view, session }: Request): SourceFile | undefined {
  const { path, source } = view.module;
  if (!isTestFile(source.file)) return undefined;
  return session.projects.view(path.replace(/\.test\.ftp$/, '.ftp'))?.module.tree;
}
