import { NearCopies } from './dedupe/near-copies.js';
import { RowBlock } from './dedupe/row-block.js';
import type { Line } from './file-lines.js';
import { unitHash } from './hashes.js';
import { lengthOf } from './length-outliers.js';
import { parseLine, type Row, RowFault } from './parse-row.js';
import {
  contentOf,
  identityOf,
  type RowContent,
  type RowIdentity,
  renamed,
  wholeText,
} from './row-content.js';
import type { RowReader } from './row-reader.js';
import { RecordFile } from './row-records.js';
import type { CheckRow } from './row-schema.js';
import type { RowTable } from './row-table.js';
import { type ColumnValues, valueIn } from './row-values.js';
import { type Column, ROW_MEMORY, type RowMemory } from './scratch.js';
import type { SourceFile } from './sources.js';

/** What is looked at when rows are read. */
export interface Checks {
  readonly schema?: CheckRow;
  readonly exact: boolean;
  /** Least overlap of near repetitions; `undefined` if they are not looked for. */
  readonly near?: number;
  readonly contradictions: 'warn' | 'drop' | 'fail';
  /** Column that holds the group; `undefined`: rows of equal content are a group. */
  readonly by?: string;
  /** Values that rows are balanced by, and those that a split has the same shares of. */
  readonly balance?: ColumnValues;
  readonly strata?: ColumnValues;
  /** Lengths of the rows, where unusual ones are looked for. */
  readonly lengths?: Column;
  readonly seed: number;
}

/** What is found of the rows while they are read. */
export type Collected = Pick<Collector, 'table' | 'checks' | 'contradictions' | 'firstContradiction'>;

/** Reads line after line into the table, and decides what can be decided, a block of rows at a time. */
export class Collector {
  /** Rows whose answer differs from that of the row in `other`. */
  contradictions = 0;
  firstContradiction: number | undefined;
  private readonly block: RowBlock;
  /** Of the block, by record: those whose contradictions are dropped whatever the stage says. */
  private readonly preferences = new Set<number>();
  /** Rows of earlier blocks that are kept. */
  private readonly kept: RecordFile;

  constructor(
    readonly table: RowTable,
    readonly checks: Checks,
    reader: RowReader,
    memory: RowMemory = ROW_MEMORY,
  ) {
    const near = checks.near === undefined ? undefined : new NearCopies(reader, checks.near);
    this.block = new RowBlock(near, memory);
    this.kept = new RecordFile(table.scratch, near?.bands.count ?? 0);
  }

  /** `offset` is where the row can be read again. */
  add(line: Line, offset: number, file: number, source: SourceFile): void {
    const row = this.table.add(file, line.number, offset, line.tooLong ? 0 : line.length);
    const parsed = parseLine(line);
    if (parsed instanceof RowFault) {
      this.table.drop(row, parsed.reason, parsed.detail);
      return;
    }
    const named = renamed(parsed, source.columns);
    const content = this.contentOf(parsed, named, source);
    if (content instanceof RowFault) {
      this.table.drop(row, content.reason, content.detail);
      return;
    }
    const fault = this.measure(row, parsed, named, content, source);
    if (fault === undefined) this.compare(row, content);
    else this.table.drop(row, fault.reason, fault.detail);
  }

  /** Notes what is asked of the row later on; why it cannot be kept. */
  private measure(
    row: number,
    parsed: Row,
    named: Row,
    { content }: IdentifiedRow,
    source: SourceFile,
  ): RowFault | undefined {
    const { balance, strata, lengths } = this.checks;
    if (source.general) return undefined;
    for (const values of [balance, strata]) {
      if (values === undefined) continue;
      const value = valueIn(parsed, named, values.column, values.what);
      if (value instanceof RowFault) return value;
      values.note(row, value, { file: source.name, line: this.table.line.get(row) });
    }
    lengths?.set(row, lengthOf(named, content));
    return undefined;
  }

  private contentOf(parsed: Row, named: Row, source: SourceFile): IdentifiedRow | RowFault {
    const content = contentOf(named, source.columns);
    if (content instanceof RowFault) return content;
    const identity = identityOf(content);
    if (source.general) return { content, identity, group: undefined };
    const schemaFault = this.checks.schema?.(parsed);
    if (schemaFault !== undefined) return schemaFault;
    const { by } = this.checks;
    const group = by === undefined ? identity.key : valueIn(parsed, named, by, 'split');
    return group instanceof RowFault ? group : { content, identity, group };
  }

  private compare(row: number, { content, identity, group }: IdentifiedRow): void {
    const { table, block } = this;
    table.setContent(row, identity.whole);
    if (group !== undefined) table.order.set(row, unitHash(this.checks.seed, group));
    if (content.isPreference === true) this.preferences.add(block.records.count);
    block.add(row, identity.whole, identity.question, () => wholeText(content));
  }

  /** No more rows are read before {@link Collector.settle}. */
  get isFull(): boolean {
    return this.block.isFull;
  }

  /** Decides about the rows of the block. `more`: others follow. `breathe` is awaited now and then. */
  async settle(more: boolean, breathe: (done: number) => Promise<void>): Promise<void> {
    const { block } = this;
    block.open();
    let done = 0;
    for (const some of this.kept.some()) {
      await breathe(done++);
      for (let record = 0; record < some.count; record++) block.meet(some, record);
    }
    block.close();
    for (let record = 0; record < block.records.count; record++) {
      if (record % STRIDE === 0) await breathe(done++);
      this.decide(record, more);
    }
    block.clear();
    this.preferences.clear();
  }

  private decide(record: number, more: boolean): void {
    const { block, table } = this;
    const found = this.repeated(record) ?? this.contradicted(record) ?? this.copied(record);
    if (found !== undefined) {
      table.dropFor(block.records.row(record), found.fate, found.of, found.overlap);
      return;
    }
    block.keep(record);
    if (more) this.kept.add(block.records.bytes(record));
  }

  private repeated(record: number): Repetition | undefined {
    const { contents, records } = this.block;
    const same = this.checks.exact ? contents.get(...records.content(record)) : undefined;
    return same === undefined ? undefined : { fate: 'duplicate', of: same, overlap: 1 };
  }

  private contradicted(record: number): Repetition | undefined {
    const { table } = this;
    const { questions, records } = this.block;
    const question = records.question(record);
    const first = question === undefined ? undefined : questions.get(...question);
    if (first === undefined) return undefined;
    const [row, [high, low]] = [records.row(record), records.content(record)];
    const [firstHigh, firstLow] = table.content(first);
    if (firstHigh === high && firstLow === low) return undefined;
    this.contradictions++;
    this.firstContradiction ??= row;
    table.other.set(row, first);
    return this.checks.contradictions === 'warn' && !this.preferences.has(record)
      ? undefined
      : { fate: 'contradiction', of: first, overlap: 0 };
  }

  private copied(record: number): Repetition | undefined {
    const copy = this.block.copy(record) ?? this.block.nearest(record);
    return copy === undefined ? undefined : { fate: 'near_duplicate', ...copy };
  }

  /** Memory that grows with the rows until a block of them is full: of their contents nothing is held. */
  get bytes(): number {
    return this.table.bytes + this.block.bytes;
  }
}

/** Rows between two looks at signals. */
const STRIDE = 1024;

interface IdentifiedRow {
  readonly content: RowContent;
  readonly identity: RowIdentity;
  /** `undefined` for general rows, which no split asks for. */
  readonly group: string | undefined;
}

/** What an earlier row has to do with this one. */
interface Repetition {
  readonly fate: 'duplicate' | 'contradiction' | 'near_duplicate';
  readonly of: number;
  readonly overlap: number;
}
