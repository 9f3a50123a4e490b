import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** The rows of a file of JSON lines, as Parquet. */
export async function parquetRows(path: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-parquet-'));
  try {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const target = join(folder, 'rows.parquet');
    await connection.run(`copy (select * from read_json('${path}')) to '${target}' (format parquet)`);
    connection.closeSync();
    return readFileSync(target);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
