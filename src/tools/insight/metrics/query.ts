/** SQL over the runs: an in-memory DuckDB that is filled, and then shut off from everything outside. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { badQuery, noDatabase, queryOutside } from '../../../language/diagnostics/catalogue/insight.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Run } from '../runs/index.js';
import { type Cell, type ColumnType, VIEWS } from './views.js';

interface Table {
  /** Different from each other. */
  readonly columns: readonly string[];
  /** What JSON can say: times as text, whole numbers beyond 2⁵³ as text, `NaN` as `null`. */
  readonly rows: readonly (readonly unknown[])[];
}

/** Throws a `UserError` for a query that DuckDB refuses, and if there is no DuckDB. */
export async function query(runs: readonly Run[], sql: string): Promise<Table> {
  const connection = await connect();
  try {
    await fill(connection, runs);
    await shutOff(connection);
    return await select(connection, sql);
  } finally {
    connection.closeSync();
  }
}

async function connect(): Promise<DuckDBConnection> {
  try {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
    return await instance.connect();
  } catch (error) {
    throw new UserError(noDatabase(messageOf(error)));
  }
}

async function fill(connection: DuckDBConnection, runs: readonly Run[]): Promise<void> {
  for (const [name, { columns, rows }] of Object.entries(VIEWS)) {
    const types = Object.values(columns).map(([type]) => type);
    const list = Object.entries(columns).map(([column, [type]]) => `"${column}" ${type}`);
    await connection.run(`create table "${name}" (${list.join(', ')})`);
    const appender = await connection.createAppender(name);
    for (const run of runs)
      for (const row of rows(run)) {
        for (const [index, cell] of row.entries()) append(appender, cell, types[index] ?? 'VARCHAR');
        appender.endRow();
      }
    appender.closeSync();
  }
}

type Appender = Awaited<ReturnType<DuckDBConnection['createAppender']>>;

function append(appender: Appender, cell: Cell, type: ColumnType): void {
  if (cell === null) appender.appendNull();
  else if (type === 'TIMESTAMP')
    appender.appendVarchar(new Date(Number(cell)).toISOString().replace('Z', ''));
  else if (type === 'DOUBLE') appender.appendDouble(Number(cell));
  else if (type === 'INTEGER') appender.appendInteger(Number(cell));
  else if (type === 'BOOLEAN') appender.appendBoolean(cell === true);
  else appender.appendVarchar(String(cell));
}

/** Nothing of this can be taken back by a query: the configuration is locked last. */
const SHUT = [
  "set memory_limit = '2GB'",
  "set temp_directory = ''",
  'set autoinstall_known_extensions = false',
  'set autoload_known_extensions = false',
  'set allow_community_extensions = false',
  'set enable_external_access = false',
  'set lock_configuration = true',
];

async function shutOff(connection: DuckDBConnection): Promise<void> {
  for (const statement of SHUT) await connection.run(statement);
}

async function select(connection: DuckDBConnection, sql: string): Promise<Table> {
  if (sql.trim() === '') throw new UserError(badQuery('it is empty', Object.keys(VIEWS)));
  try {
    const statements = await connection.extractStatements(sql);
    if (statements.count !== 1)
      throw new UserError(
        badQuery(`it has ${statements.count} statements, and one is run`, Object.keys(VIEWS)),
      );
    const reader = await connection.runAndReadAll(sql);
    return {
      columns: reader.deduplicatedColumnNames(),
      rows: reader
        .getRowsJson()
        .map((row) => row.map((value, index) => plain(value, reader.columnType(index).toString()))),
    };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const message = messageOf(error);
    throw new UserError(
      OUTSIDE.test(message) ? queryOutside(message) : badQuery(message, Object.keys(VIEWS)),
    );
  }
}

/** What DuckDB says about files, networks, extensions and its own settings. */
const OUTSIDE =
  /^Permission Error|configuration has been locked|disabled by configuration|disabled through configuration/;

/** DuckDB's JSON has whole numbers of 64 bits as text. */
function plain(value: unknown, type: string): unknown {
  if (typeof value !== 'string' || !/^U?(BIG|HUGE)INT$/.test(type)) return notANumber(value);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const notANumber = (value: unknown): unknown =>
  value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? null : value;

/** Without the line of the query that DuckDB repeats: it is one line, and the reader has just written it. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/\n\s*LINE \d+:[\s\S]*$/, '')
    .replace('Failed to extract statements: ', '')
    .trim();
}
