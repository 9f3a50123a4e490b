/** Files that no one has: of each, one thing grows, which `count` says how many there are of. */
import { gzipSync } from 'node:zlib';

export interface Shape {
  readonly name: string;
  /** Of the smallest file; the others have ten and a hundred times as many. */
  readonly count: number;
  /** The reader with its arguments, of the file `rows`. */
  readonly source: string;
  readonly content: (count: number) => string | Uint8Array;
}

const jsonl = 'jsonl("rows")';
const csv = 'csv("rows")';
const lines = 'text("rows", by: line)';
const paragraphs = 'text("rows", by: paragraph)';
const document = 'text("rows")';
const member = 'json("rows", field: "data")';

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `c${at}`);
const one = '{"text":"a"}\n';
const saying = (text: string): string => `{"text":"${text}"}\n`;

export const SHAPES: readonly Shape[] = [
  shape('columns of CSV', 10_000, csv, (count) => {
    const line = ['text', ...names(count)].join(',');
    return `${line}\n${line}\n`;
  }),
  shape(
    'rows of CSV that do not fit its header',
    10_000,
    csv,
    (count) => `text,b\na,b\n${'a\n'.repeat(count)}`,
  ),
  shape('quotes in a field of CSV', 100_000, csv, (count) => `text\n"${'""'.repeat(count)}"\n`),
  shape('line ends in a field of CSV', 100_000, csv, (count) => `text\n"${'\n'.repeat(count)}a"\n`),
  shape('names of an object', 10_000, jsonl, (count) => {
    const others = names(count).map((name) => `"${name}":1`);
    return `{"text":"a",${others.join(',')}}\n`;
  }),
  shape(
    'levels of an object',
    10_000,
    jsonl,
    (count) => `${'{"a":'.repeat(count)}1${'}'.repeat(count)}\n${one}`,
  ),
  shape('elements of a list', 10_000, jsonl, (count) => `{"text":"a","b":[${'1,'.repeat(count)}1]}\n`),
  shape('escapes in a text', 100_000, jsonl, (count) => saying('\\\\\\"'.repeat(count))),
  shape('letters of a word', 100_000, jsonl, (count) => saying('a'.repeat(count))),
  shape('spaces in a text', 100_000, jsonl, (count) => saying(`a${' '.repeat(count)}b`)),
  shape('emoji in a text', 100_000, jsonl, (count) => saying('😀'.repeat(count))),
  shape('empty lines', 100_000, jsonl, (count) => `${'\n'.repeat(count)}${one}`),
  shape('lines that are no JSON', 10_000, jsonl, (count) => `${one}${'x\n'.repeat(count)}`),
  shape('messages of a chat', 1000, jsonl, (count) => {
    const turns = '{"role":"user","content":"a"},{"role":"assistant","content":"b"},'.repeat(count);
    return `{"messages":[${turns.slice(0, -1)}]}\n`;
  }),
  shape('names before the list', 10_000, member, (count) => `{${'"b":1,'.repeat(count)}"data":[${one}]}`),
  shape('letters of a name', 100_000, member, (count) => `{"${'b'.repeat(count)}":1,"data":[${one}]}`),
  shape('elements that are no rows', 10_000, 'json("rows")', (count) => `[${one}${',1'.repeat(count)}]`),
  shape('line ends within a text', 100_000, document, (count) => `a${'\n'.repeat(count)}b`),
  shape('line ends after a text', 100_000, document, (count) => `a${'\r\n'.repeat(count)}`),
  shape('lines of a paragraph', 10_000, paragraphs, (count) => 'a\n'.repeat(count)),
  shape('lines', 10_000, lines, (count) => names(count).join('\n')),
  shape('files in gzip', 1000, jsonl, (count) => {
    const packed = gzipSync(one);
    return Buffer.concat(Array.from({ length: count }, () => packed));
  }),
  shape('blocks of zstd', 1000, jsonl, (count) => zstd(`${one.repeat(count)}`, 1)),
  shape('frames of zstd', 1000, jsonl, (count) => Buffer.concat(Array(count).fill(zstd(one, one.length)))),
];

function shape(name: string, count: number, source: string, content: Shape['content']): Shape {
  return { name, count, source, content };
}

/** A frame that names a window of 128 MiB, of blocks that hold so many bytes as they are. */
function zstd(text: string, size: number): Uint8Array {
  const bytes = Buffer.from(text);
  const parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3])];
  for (let at = 0; at < bytes.length; at += size) {
    const block = bytes.subarray(at, at + size);
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | Number(at + size >= bytes.length), 0, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}
