import type { Line } from './file-lines.js';
import { GrowingArray } from './growing-array.js';
import { HashTable, hash96, RowIndex, unitHash } from './hashes.js';
import { lengthOf } from './length-outliers.js';
import { NearCopies } from './near-copies.js';
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
import type { CheckRow } from './row-schema.js';
import type { RowTable } from './row-table.js';
import { type ColumnValues, valueIn } from './row-values.js';
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
  readonly lengths?: GrowingArray<Uint32Array<ArrayBuffer>>;
  readonly seed: number;
}

/** Groups that the split keeps together, by number: their place in its order, and the rows read of each. */
interface Groups {
  readonly order: GrowingArray<Float64Array<ArrayBuffer>>;
  readonly sizes: GrowingArray<Uint32Array<ArrayBuffer>>;
}

/** Reads line after line into the table and decides what can be decided at once. */
export class Collector {
  readonly groups: Groups = { order: GrowingArray.doubles(), sizes: GrowingArray.integers() };
  /** Rows that answer otherwise than the row in `other`, in order. */
  readonly contradictions: number[] = [];
  /** Where a column says the group. */
  private readonly groupNumbers = new HashTable();
  /** The first row of each group, where the content says it. */
  private readonly firstOfContent: RowIndex;
  /** The first row of each content that no earlier row replaces. */
  private readonly contents: RowIndex;
  private readonly questions = new HashTable();
  private readonly near: NearCopies | undefined;

  constructor(
    readonly table: RowTable,
    readonly checks: Checks,
    reader: RowReader,
  ) {
    this.firstOfContent = new RowIndex(table.high, table.low);
    this.contents = new RowIndex(table.high, table.low);
    this.near = checks.near === undefined ? undefined : new NearCopies(reader, checks.near);
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
    const { table } = this;
    const [high, low] = identity.whole;
    table.high.set(row, high);
    table.low.set(row, low);
    if (group !== undefined) table.group.set(row, this.groupOf(row, group));
    const found =
      this.repeated(identity) ?? this.contradicted(row, identity, content) ?? this.copied(row, content);
    if (found !== undefined) {
      table.dropFor(row, found.fate, found.of, found.overlap);
      return;
    }
    if (this.contents.get(high, low) === undefined) this.contents.add(row);
    const { question } = identity;
    if (question !== undefined && this.questions.get(...question) === undefined)
      this.questions.add(...question, row);
  }

  private repeated({ whole }: RowIdentity): Repetition | undefined {
    const same = this.checks.exact ? this.contents.get(...whole) : undefined;
    return same === undefined ? undefined : { fate: 'duplicate', of: same, overlap: 1 };
  }

  private contradicted(
    row: number,
    { whole: [high, low], question }: RowIdentity,
    { isPreference = false }: RowContent,
  ): Repetition | undefined {
    const first = question === undefined ? undefined : this.questions.get(...question);
    if (first === undefined) return undefined;
    if (this.table.high.get(first) === high && this.table.low.get(first) === low) return undefined;
    this.contradictions.push(row);
    this.table.other.set(row, first);
    return this.checks.contradictions === 'warn' && !isPreference
      ? undefined
      : { fate: 'contradiction', of: first, overlap: 0 };
  }

  private copied(row: number, content: RowContent): Repetition | undefined {
    const copy = this.near?.addUnlessCopy(row, wholeText(content));
    return copy === undefined ? undefined : { fate: 'near_duplicate', ...copy };
  }

  private groupOf(row: number, key: string): number {
    const { table, groups } = this;
    const hash = this.checks.by === undefined ? undefined : hash96(key);
    const first = this.firstOfContent.get(table.high.get(row), table.low.get(row));
    let group =
      hash !== undefined
        ? this.groupNumbers.get(...hash)
        : first === undefined
          ? undefined
          : table.group.get(first);
    if (group === undefined) {
      group = groups.order.push(unitHash(this.checks.seed, key));
      groups.sizes.push(0);
      if (hash === undefined) this.firstOfContent.add(row);
      else this.groupNumbers.add(...hash, group);
    }
    groups.sizes.add(group, 1);
    return group;
  }

  /** Memory that grows with the rows, near copies aside: of their contents nothing is held. */
  get bytes(): number {
    const { table, groups, groupNumbers, firstOfContent, contents, questions } = this;
    const held = [table, groups.order, groups.sizes, groupNumbers, firstOfContent, contents, questions];
    return held.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

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
