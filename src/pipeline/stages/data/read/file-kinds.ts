/** What a file is by its first bytes, where it is not what it is read as. */

interface FileKind {
  readonly name: string;
  /** What to do with it. */
  readonly help: string;
}

/** Bytes at the start of a file that tell what it is. */
export const HEAD = 4096;

interface Signature extends FileKind {
  readonly bytes: readonly number[];
}

const text = (characters: string): readonly number[] => [...Buffer.from(characters, 'latin1')];

const UNPACK = 'decompress it first; only gzip and zstd are read as they are';
const CONVERT = 'convert it to JSON lines, CSV or Parquet';
const RECODE = 'convert it to UTF-8';

const ZIP = text('PK\u0003\u0004');

const SIGNATURES: readonly Signature[] = [
  { name: 'Parquet', bytes: text('PAR1'), help: 'read it with `parquet("…")`' },
  { name: 'Arrow', bytes: text('ARROW1'), help: CONVERT },
  { name: 'SQLite', bytes: text('SQLite format 3'), help: CONVERT },
  { name: 'PDF', bytes: text('%PDF-'), help: CONVERT },
  { name: 'zip', bytes: ZIP, help: UNPACK },
  { name: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a], help: UNPACK },
  { name: 'bzip2', bytes: text('BZh'), help: UNPACK },
  { name: 'UTF-32', bytes: [0xff, 0xfe, 0, 0], help: RECODE },
  { name: 'UTF-32', bytes: [0, 0, 0xfe, 0xff], help: RECODE },
  { name: 'UTF-16', bytes: [0xff, 0xfe], help: RECODE },
  { name: 'UTF-16', bytes: [0xfe, 0xff], help: RECODE },
  {
    name: 'Git LFS pointer',
    bytes: text('version https://git-lfs.github.com/'),
    help: '`git lfs pull` fetches the file that it stands for',
  },
];

export const begins = (start: Uint8Array, bytes: readonly number[]): boolean =>
  bytes.every((byte, index) => start[index] === byte);

/** `undefined` for what may be text, packed or not. */
export const kindOf = (start: Uint8Array): FileKind | undefined =>
  officeFile(start) ?? SIGNATURES.find(({ bytes }) => begins(start, bytes)) ?? unmarkedUtf16(start);

/** Names that the first file has in a zip file that is a workbook; 30 bytes are before them. */
const OFFICE = /^(?:\[Content_Types\]\.xml|_rels\/\.rels|docProps\/|xl\/|mimetypeapplication\/vnd\.oasis)/;

function officeFile(start: Uint8Array): FileKind | undefined {
  const isOne = begins(start, ZIP) && OFFICE.test(Buffer.from(start.subarray(30, 70)).toString('latin1'));
  return isOne ? { name: 'Excel or LibreOffice', help: 'save its sheet as CSV' } : undefined;
}

/** Without a byte-order mark: every second byte of Latin letters is 0. */
function unmarkedUtf16(start: Uint8Array): FileKind | undefined {
  const [a = 1, b = 1, c = 1, d = 1] = start;
  const zeros = [a, b, c, d].map((byte) => Number(byte === 0)).join('');
  return zeros === '0101' || zeros === '1010' ? { name: 'UTF-16', help: RECODE } : undefined;
}

interface Look extends FileKind {
  readonly pattern: RegExp;
}

/** Texts that are no JSON lines, by how they begin; a list of anything but objects may be a row that is wrong. */
const NO_LINES: readonly Look[] = [
  {
    name: 'JSON list',
    pattern: /^\s*\[\s*\{/,
    help: 'read it with `json("…")`; `jsonl` reads files with one object per line',
  },
  {
    name: 'JSON',
    pattern: /^\s*\{[ \t]*\r?\n\s*"/,
    help: 'write each object on one line, or put them into a list and read it with `json("…")`',
  },
  {
    name: 'CR-only text',
    pattern: /^[^\n]*\}\r\{[^\n]*$/,
    help: 'its lines end with CR only: convert the line ends to LF or CRLF',
  },
  {
    name: 'HTML',
    pattern: /^\s*<(?:!doctype\s+html|html|\?xml)\b/i,
    help: 'it may be the page of an error or of a login: download the file again',
  },
];

/** What a file that is read as JSON lines is instead. */
export function noLines(start: Uint8Array): FileKind | undefined {
  const text = Buffer.from(start)
    .toString()
    .replace(/^\ufeff/, '');
  return NO_LINES.find(({ pattern }) => pattern.test(text));
}
