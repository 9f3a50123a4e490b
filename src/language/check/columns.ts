/**
 * Rows and those who read them: columns that a template, a source or a split refers to, and no row has. Files that are
 * here are looked at as far as their bytes tell: cheap enough for every `check`, and silent where it is not certain. What
 * rows really hold is read where they are built.
 */

import { resolve } from 'node:path';
import * as v from 'valibot';
import { brokenPattern, otherColumns, unknownColumn } from '../diagnostics/catalogue/names.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { HostError } from '../host/host.js';
import { anyObject, isJson, type Json, tryJson } from '../host/json.js';
import type { Call, Value } from '../ir/program.js';
import { isCall, isList, isRecord } from '../ir/values.js';
import { DELIMITERS } from '../schemas/delimiters.js';
import { PACKED, SOURCE_COLUMNS } from '../schemas/functions/source.js';
import { columnsOf, usualColumns } from '../schemas/functions/template.js';
import { PatternFault, parsePattern } from '../schemas/functions/text-pattern.js';
import { lookUp } from '../source/look-up.js';
import { withParts } from '../syntax/references.js';
import type { FolderAccess } from './context.js';
import { referenceIn, type Stages, settingSpan } from './stage-settings.js';
import type { CheckedStage } from './stages.js';

/** A data stage: `columns` of its sources, and those that its rows are split or balanced by. */
export function columnsOfRows(checked: CheckedStage, _: Stages, access: FolderAccess): readonly Diagnostic[] {
  if (checked.stage.kind !== 'data') return [];
  const calls = sourcesOf(checked);
  const looks = calls.map((call) => fileColumns(call, access));
  const renamed = calls.flatMap((call, index) => missingIn(call, looks[index]));
  const found = renamed.flatMap(({ name, look }) => {
    const at = stringIn(checked, 'source', name) ?? stringIn(checked, 'mix', name);
    return at === undefined ? [] : [unknownColumn(at, name, look.files, look.first)];
  });
  const known = looks.flatMap((look, index) => (look === undefined ? [] : [{ look, call: calls[index] }]));
  const [first] = known;
  if (first === undefined || known.length < calls.length) return found;
  const isNowhere = (column: string): boolean =>
    known.every(({ look, call }) => !look.has(ownName(call, column)) && !look.has(column));
  return [
    ...found,
    ...BY_COLUMN.flatMap(([key, field]) => {
      const setting = checked.stage.settings[key];
      const column = isRecord(setting) ? setting[field] : undefined;
      if (typeof column !== 'string' || hasBlank(column) || !isNowhere(column)) return [];
      const at = stringIn(checked, key, column);
      return at === undefined ? [] : [unknownColumn(at, column, first.look.files, first.look.first)];
    }),
  ];
}

/** Settings that name a column which every row has. */
const BY_COLUMN = [
  ['split', 'by'],
  ['split', 'stratify'],
  ['balance', 'by'],
] as const;

/** Columns that a source is told the names of. */
function missingIn(
  { args }: Call,
  look: FileColumns | undefined,
): readonly { readonly name: string; readonly look: FileColumns }[] {
  const { columns } = args;
  if (look === undefined || !isRecord(columns)) return [];
  return Object.values(columns).flatMap((name) =>
    typeof name === 'string' && !hasBlank(name) && !look.has(name) ? [{ name, look }] : [],
  );
}

/** A format stage: what its template reads. */
export function fittingColumns(
  checked: CheckedStage,
  stages: Stages,
  access: FolderAccess,
): readonly Diagnostic[] {
  const from = referenceIn(checked, 'from');
  const data = from && stages.get(from.stage);
  const { template } = checked.stage.settings;
  if (checked.stage.kind !== 'format' || data === undefined || !isCall(template) || !data.isSound) return [];
  const needed = columnsOf(template);
  for (const call of sourcesOf(data)) {
    const brought = broughtBy(call, access);
    if (brought === undefined || hasOne(needed, brought, call)) continue;
    const fitting = usualColumns().find(([, sets]) => hasOne(sets, brought, call));
    const mapped = call.args['columns'];
    const wanted =
      needed.find((set) => isRecord(mapped) && set.some((column) => Object.hasOwn(mapped, column))) ??
      needed[0] ??
      [];
    return [
      otherColumns(settingSpan(checked, 'template'), {
        template: template.call,
        needed: wanted.map((column) => ownName(call, column)),
        usual: wanted,
        source: call.call,
        columns: brought.first,
        at: settingSpan(data, 'source'),
        fitting: fitting?.[0],
        canBeNamed: !Object.hasOwn(SOURCE_COLUMNS, call.call) && wanted.every(isUsual),
      }),
    ];
  }
  return [];
}

const isUsual = (column: string): boolean => usualColumns().some(([, sets]) => sets.flat().includes(column));

/** Texts of a template with columns in braces. */
export function soundPatterns(checked: CheckedStage): readonly Diagnostic[] {
  const { template } = checked.stage.settings;
  if (checked.stage.kind !== 'format' || !isCall(template) || template.call !== 'completion') return [];
  return ['prompt', 'completion'].flatMap((name) => {
    const text = template.args[name];
    const parts = typeof text === 'string' ? parsePattern(text) : [];
    return parts instanceof PatternFault
      ? [brokenPattern(settingSpan(checked, 'template'), name, parts.detail)]
      : [];
  });
}

/** `${name}` has a warning of its own. */
const hasBlank = (name: string): boolean => name.includes('${');

type SourceColumns = Pick<FileColumns, 'first' | 'has'>;

function broughtBy(call: Call, access: FolderAccess): SourceColumns | undefined {
  const own = lookUp(SOURCE_COLUMNS, call.call);
  if (own !== undefined) return { first: own, has: (column) => own.includes(column) };
  const look = fileColumns(call, access);
  // That has an error of its own.
  return look === undefined || missingIn(call, look).length > 0 ? undefined : look;
}

const hasOne = (sets: readonly (readonly string[])[], { has }: SourceColumns, call: Call): boolean =>
  sets.some((set) => set.every((column) => has(ownName(call, column))));

/** What a source calls a column that has a usual name. */
function ownName(call: Call | undefined, usual: string): string {
  const columns = call?.args['columns'];
  const own = isRecord(columns) ? lookUp(columns, usual) : undefined;
  return typeof own === 'string' ? own : usual;
}

/** Where a setting of the block itself says a text. */
const stringIn = ({ block }: CheckedStage, key: string, text: string) =>
  block.properties
    .filter((property) => property.key.text === key)
    .flatMap(({ value }) => withParts(value))
    .find((part) => part.kind === 'string' && part.value === text)?.span;

/** All but those of general rows, which have columns of their own. */
const sourcesOf = ({ stage: { settings } }: CheckedStage): readonly Call[] =>
  [...listOf(settings['source']), ...listOf(settings['mix']).map(sourceIn)].filter(isCall);

const listOf = (value: Value | undefined): readonly Value[] =>
  value === undefined ? [] : isList(value) ? value : [value];

const sourceIn = (entry: Value): Value => (isRecord(entry) ? (entry['source'] ?? null) : null);

interface FileColumns {
  /** As the pipeline names the files. */
  readonly files: string;
  /** Those of the first row. */
  readonly first: readonly string[];
  /** `false`: no row has it. */
  readonly has: (column: string) => boolean;
}

/** Larger files are not looked through, nor more of them. */
const MOST_BYTES = 4 << 20;
const MOST_FILES = 64;

type ColumnReader = (bytes: Uint8Array, call: Call) => Omit<FileColumns, 'files'> | undefined;

/** By source; in the others it is not the text that names the columns. */
const LOOKS: Readonly<Record<string, ColumnReader>> = {
  jsonl: lookAtLines,
  json: lookAtList,
  csv: lookAtHeader,
};

/** `undefined` if the rows are elsewhere, packed or too many, or cannot be read. */
function fileColumns(call: Call, { host, folder }: FolderAccess): FileColumns | undefined {
  const look = lookUp(LOOKS, call.call);
  const { files } = call.args;
  if (look === undefined || typeof files !== 'string') return undefined;
  try {
    const path = resolve(folder, files);
    const paths = host.stat(path) === undefined ? host.glob(files, folder) : [path];
    const bytes = paths.reduce((sum, file) => sum + (host.stat(file)?.size ?? 0), 0);
    if (bytes > MOST_BYTES || paths.length > MOST_FILES || paths.some((file) => PACKED.test(file)))
      return undefined;
    const found = paths.map((file) => look(host.readBytes(file), call));
    const [first] = found;
    if (first === undefined || found.includes(undefined)) return undefined;
    return {
      files,
      first: first.first,
      has: (column) => found.some((one) => one?.has(column) === true),
    };
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** Read again at every keystroke of an editor, which gets the same bytes. */
const known = new WeakMap<Uint8Array, Omit<FileColumns, 'files'> | null>();

/** The first row has the names; a name that appears in no quotes anywhere is not one of a later row either. */
function lookAtLines(bytes: Uint8Array): Omit<FileColumns, 'files'> | undefined {
  const before = known.get(bytes);
  if (before !== undefined) return before ?? undefined;
  const row = firstRow(bytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const asked = new Map<string, boolean>();
  const has = (column: string): boolean => {
    const found =
      asked.get(column) ?? (row?.includes(column) === true || text.includes(JSON.stringify(column)));
    asked.set(column, found);
    return found;
  };
  const made = row === undefined ? undefined : { first: row, has };
  known.set(bytes, made ?? null);
  return made;
}

/** Names of the first line that is not blank; `undefined` if it is not an object. */
function firstRow(bytes: Uint8Array): readonly string[] | undefined {
  const text = new TextDecoder();
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(10, start);
    const line = text.decode(bytes.subarray(start, end < 0 ? bytes.length : end)).trim();
    const row = line === '' ? undefined : tryJson(anyObject, line);
    if (line !== '') return row && Object.keys(row);
    if (end < 0) return undefined;
    start = end + 1;
  }
  return undefined;
}

/** Parsed again at every keystroke of an editor, which gets the same bytes. */
const parsed = new WeakMap<Uint8Array, { readonly value: unknown }>();

const valueIn = (bytes: Uint8Array): unknown => tryJson(v.unknown(), new TextDecoder().decode(bytes));

/** Of a JSON list, all rows; of an object, those of the list in its member. */
function lookAtList(bytes: Uint8Array, { args }: Call): Omit<FileColumns, 'files'> | undefined {
  const known = parsed.get(bytes);
  const value = known === undefined ? valueIn(bytes) : known.value;
  if (known === undefined) parsed.set(bytes, { value });
  const { field } = args;
  const list = typeof field === 'string' && isJson(value) ? lookUp(value, field) : value;
  const rows: readonly Json[] = Array.isArray(list) ? list.filter(isJson) : [];
  const [first] = rows;
  if (first === undefined) return undefined;
  return {
    first: Object.keys(first),
    has: (column) => rows.some((row) => Object.hasOwn(row, column)),
  };
}

/** The header; one with quotes may continue in the next line, and is left to those who read the file. */
function lookAtHeader(bytes: Uint8Array, { args }: Call): Omit<FileColumns, 'files'> | undefined {
  const end = bytes.indexOf(10);
  const line = new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end)).trimEnd();
  const delimiter = DELIMITERS[String(args['delimiter'] ?? 'comma')];
  if (line === '' || line.includes('"') || delimiter === undefined) return undefined;
  const first = line.split(delimiter);
  return { first, has: (column) => first.includes(column) };
}
