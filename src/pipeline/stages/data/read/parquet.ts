import { discarded } from '../../../../compute/tensor/garbage.js';
import { badHeader, brokenFile, noParquetReader } from '../../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../../language/diagnostics/types.js';
import { type Line, rowLine, type Sample } from '../file-lines.js';
import { outsideStrings } from '../json-text.js';

/** Nothing that a file of rows says may reach outside, and no reading takes more than this. */
const SETTINGS = {
  threads: '1',
  memory_limit: '1GB',
  temp_directory: '',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
} as const;

/**
 * Rows of a Parquet file as JSON objects, a few thousand at a time; nested columns become lists and objects, dates and
 * times texts, and what is not a number `null`. Throws a `UserError` if the file is broken.
 */
export async function* parquetRows(
  path: string,
  name: string,
  sample: Sample,
): AsyncIterable<Iterable<Line>> {
  const connection = await connect(name);
  try {
    const quoted = `'${escaped(path)}'`;
    await checkColumns(connection, quoted, name);
    const columns = await columnsOf(connection, quoted);
    const row = unusedName(columns);
    const texts = columns.filter(({ type }) => type === 'BLOB').map(({ name }) => textOf(name));
    const all = texts.length === 0 ? '*' : `* replace (${texts.join(', ')})`;
    const result = await connection.stream(
      `select to_json(${row})::varchar from (select ${all} from ${sampled(quoted, sample)}) ${row}`,
    );
    for (let first = 0; ; ) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      const rows = chunk.getColumnValues(0).map(String);
      yield linesOf(rows, (index) => 1 + sample.skip + sample.every * (first + index));
      first += chunk.rowCount;
      // what DuckDB holds of a chunk hangs on objects that V8 takes for small
      discarded(rows.reduce((sum, { length }) => sum + length, 0));
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      brokenFile(
        { file: name, line: 0, column: 0 },
        `cannot be read as Parquet: ${messageOf(error).replaceAll(path, name)}`,
      ),
    );
  } finally {
    connection.closeSync();
  }
}

function* linesOf(rows: readonly string[], numberOf: (index: number) => number): Iterable<Line> {
  for (const [index, json] of rows.entries()) yield rowLine(numberOf(index), withoutOddNumbers(json));
}

/** DuckDB numbers rows in a column of its own, which it takes for the reader's alone. */
const sampled = (quoted: string, { skip, every }: Sample): string =>
  every === 1
    ? `read_parquet(${quoted})`
    : `(select * exclude (file_row_number) from read_parquet(${quoted}, file_row_number = true)
        where file_row_number >= ${skip} and (file_row_number - ${skip}) % ${every} = 0)`;

type Connection = Awaited<ReturnType<typeof connect>>;

async function connect(name: string) {
  try {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    return await (await DuckDBInstance.create(':memory:', SETTINGS)).connect();
  } catch (error) {
    throw new UserError(noParquetReader(name, messageOf(error)));
  }
}

async function columnsOf(connection: Connection, quoted: string) {
  const reader = await connection.runAndReadAll(
    `select column_name, column_type from (describe select * from read_parquet(${quoted}))`,
  );
  return reader.getRowsJson().map(([name, type]) => ({ name: String(name), type: String(type) }));
}

/** What stands for a row in the query: the name of a column would stand for that column. */
function unusedName(columns: readonly { readonly name: string }[]): string {
  const names = new Set(columns.map(({ name }) => name.toLowerCase()));
  let unused = 'r';
  while (names.has(unused)) unused += 'r';
  return unused;
}

/** Bytes of which nobody has noted that they are text, as old writers leave it out: text if they are UTF-8. */
const textOf = (name: string): string => {
  const column = `"${name.replaceAll('"', '""')}"`;
  return `try(decode(${column})) as ${column}`;
};

/** What DuckDB takes for a row grows with the square of its columns: two seconds for these, and minutes for ten times as many. */
const MOST_COLUMNS = 10_000;

/** DuckDB gives columns of one name other names, and takes names that differ in case for one. */
async function checkColumns(connection: Connection, quoted: string, name: string): Promise<void> {
  const reader = await connection.runAndReadAll(`select name, num_children from parquet_schema(${quoted})`);
  const elements = reader
    .getRowsJson()
    .map(([column, children]) => [String(column), Number(children ?? 0)] as const);
  const seen = new Set<string>();
  // elements come depth first, so that those below a column are passed over
  const below = (at: number): number => {
    let next = at + 1;
    for (let child = 0; next < elements.length && child < (elements[at]?.[1] ?? 0); child++)
      next = below(next);
    return next;
  };
  for (let at = 1; at < elements.length; at = below(at)) {
    const column = elements[at]?.[0] ?? '';
    if (seen.has(column.toLowerCase()))
      throw new UserError(
        badHeader(
          { file: name, line: 0, column: 0 },
          `it has the column \`${column}\` twice, or two that differ in case alone`,
          'give each column a unique name',
        ),
      );
    seen.add(column.toLowerCase());
    if (seen.size > MOST_COLUMNS)
      throw new UserError(
        brokenFile(
          { file: name, line: 0, column: 0 },
          `cannot be read as Parquet: it has more than ${MOST_COLUMNS} columns`,
          'write a file that has those alone which are trained on',
        ),
      );
  }
}

const withoutOddNumbers = (json: string): string =>
  NO_NUMBER.test(json) ? outsideStrings(json, (part) => part.replace(NO_NUMBERS, 'null')) : json;

/** What JSON cannot say. */
const NO_NUMBER = /NaN|Infinity/;
const NO_NUMBERS = /-?(?:NaN|Infinity)/g;

/** A path as text of SQL, in which nothing is a pattern. */
const escaped = (path: string): string => path.replace(/[[*?]/g, '[$&]').replaceAll("'", "''");

/** Without the line of the query, which the reader has not written. */
const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\n\s*LINE \d+:[\s\S]*$/, '').trim();
