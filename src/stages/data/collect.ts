import { Column } from './column.js';
import { contentKey, plain, questionKey, wholeText } from './content.js';
import { hash96 } from './hash.js';
import { HashTable } from './hash-table.js';
import type { CheckRow } from './json-schema.js';
import type { Line } from './lines.js';
import { NearCopies } from './near-copies.js';
import { Fault, parseLine, type Row } from './parse.js';
import type { RowReader } from './reader.js';
import { type Content, contentOf, renamed } from './shape.js';
import type { SourceFile } from './sources.js';
import { groupOrder } from './split.js';
import type { RowTable } from './table.js';

/** What is looked at when rows are read. */
export interface Checks {
  readonly schema?: CheckRow;
  readonly exact: boolean;
  /** Least overlap of near repetitions; `undefined` where they are not looked for. */
  readonly near?: number;
  readonly contradictions: 'warn' | 'drop' | 'fail';
  /** Column that holds the group; `undefined`: rows of equal content are a group. */
  readonly by?: string;
  readonly seed: number;
}

/** Groups that the split keeps together, by number: their place in its order, and the rows read of each. */
export interface Groups {
  readonly order: Column<Float64Array<ArrayBuffer>>;
  readonly sizes: Column<Uint32Array<ArrayBuffer>>;
}

/** Reads line after line into the table and decides what can be decided at once. */
export class Collector {
  readonly groups: Groups = { order: Column.doubles(), sizes: Column.integers() };
  /** Rows that answer otherwise than the row in `other`, in order. */
  readonly contradictions: number[] = [];
  readonly #groupNumbers = new HashTable();
  readonly #contents = new HashTable();
  readonly #questions = new HashTable();
  readonly #near: NearCopies | undefined;

  constructor(
    readonly table: RowTable,
    readonly checks: Checks,
    reader: RowReader,
  ) {
    this.#near = checks.near === undefined ? undefined : new NearCopies(reader, checks.near);
  }

  add(line: Line, file: number, source: SourceFile): void {
    const row = this.table.add(file, line.number, line.offset, line.tooLong ? 0 : line.length);
    const parsed = parseLine(line);
    if (parsed instanceof Fault) {
      this.table.drop(row, parsed.reason, parsed.detail);
      return;
    }
    const named = renamed(parsed, source.columns);
    const content = this.#contentOf(parsed, named, source);
    if (content instanceof Fault) {
      this.table.drop(row, content.reason, content.detail);
      return;
    }
    this.#compare(row, content);
  }

  #contentOf(parsed: Row, named: Row, source: SourceFile): CheckedContent | Fault {
    const content = contentOf(named, source.columns);
    if (content instanceof Fault) return content;
    const schemaFault = source.general ? undefined : this.checks.schema?.(parsed);
    if (schemaFault !== undefined) return schemaFault;
    if (source.general) return { ...content, key: undefined };
    const key = this.#keyOf(parsed, named, content);
    return key instanceof Fault ? key : { ...content, key };
  }

  #keyOf(parsed: Row, named: Row, content: Content): string | Fault {
    const { by } = this.checks;
    if (by === undefined) return contentKey(content);
    const value = Object.hasOwn(named, by) ? named[by] : Object.hasOwn(parsed, by) ? parsed[by] : undefined;
    if (value === undefined || value === null)
      return new Fault('missing_column', `no column \`${by}\`, by which the rows are split`);
    if (typeof value === 'object')
      return new Fault('wrong_type', `/${by}, by which the rows are split, must be a text or number`);
    return String(value);
  }

  #compare(row: number, content: CheckedContent): void {
    const { table } = this;
    const [high, low] = hash96(contentKey(content));
    table.high.set(row, high);
    table.low.set(row, low);
    if (content.key !== undefined) table.group.set(row, this.#groupOf(content.key));

    const found = this.#repeats(row) ?? this.#contradicts(row, content) ?? this.#copies(row, content);
    if (found !== undefined) {
      table.dropFor(row, found.fate, found.of, found.overlap);
      return;
    }
    if (this.#contents.get(high, low) === undefined) this.#contents.set(high, low, row);
    const asked = askedBy(content);
    if (asked !== undefined && this.#questions.get(...asked) === undefined)
      this.#questions.set(...asked, row);
  }

  #repeats(row: number): Found | undefined {
    const same = this.checks.exact
      ? this.#contents.get(this.table.high.get(row), this.table.low.get(row))
      : undefined;
    return same === undefined ? undefined : { fate: 'duplicate', of: same, overlap: 1 };
  }

  #contradicts(row: number, content: Content): Found | undefined {
    const asked = askedBy(content);
    if (asked === undefined) return undefined;
    const answer = hash96(plain(content.answer))[0];
    this.table.answer.set(row, answer);
    const first = this.#questions.get(...asked);
    if (first === undefined || this.table.answer.get(first) === answer) return undefined;
    this.contradictions.push(row);
    this.table.other.set(row, first);
    return this.checks.contradictions === 'warn'
      ? undefined
      : { fate: 'contradiction', of: first, overlap: 0 };
  }

  #copies(row: number, content: Content): Found | undefined {
    const copy = this.#near?.addUnlessCopy(row, wholeText(content));
    return copy === undefined ? undefined : { fate: 'near_duplicate', ...copy };
  }

  #groupOf(key: string): number {
    const hash = hash96(key);
    let group = this.#groupNumbers.get(...hash);
    if (group === undefined) {
      group = this.groups.order.push(groupOrder(this.checks.seed, key));
      this.groups.sizes.push(0);
      this.#groupNumbers.set(...hash, group);
    }
    this.groups.sizes.add(group, 1);
    return group;
  }
}

interface CheckedContent extends Content {
  readonly key: string | undefined;
}

/** What an earlier row has to do with this one. */
interface Found {
  readonly fate: 'duplicate' | 'contradiction' | 'near_duplicate';
  readonly of: number;
  readonly overlap: number;
}

function askedBy(content: Content): readonly [number, number] | undefined {
  const question = questionKey(content);
  return question === undefined ? undefined : hash96(question);
}
