/**
 * YAML and JSON as values with their places. Read as PyYAML reads it, by YAML 1.1; a key that is set twice, of which
 * PyYAML takes the last, is an error.
 */
import type { Document, Node, Pair } from 'yaml';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Span } from '../../language/source/span.js';
import type { ForeignEntry, ForeignNode, ForeignRecord } from './foreign.js';
import { notSettings, unreadable } from './import-diagnostics.js';

/** Bytes of a file of settings; the longest of the examples of three tools has 4 KB. */
const LARGEST = 1 << 20;
/** Values of a file, those behind an alias counted each time: an alias of aliases of … has billions. */
const MOST_VALUES = 50_000;
/** Errors that are shown of one file. */
const MOST_ERRORS = 10;
/** Records and lists in each other. */
const DEEPEST = 32;

type Yaml = typeof import('yaml');

class Unreadable extends Error {
  constructor(readonly diagnostic: Diagnostic) {
    super(diagnostic.message);
  }
}

const RECODE =
  'save it as UTF-8, or convert it: `iconv -f latin1 -t utf-8`, and `utf-16` for what PowerShell writes';

/** Text of the file, or why it has none. */
export function settingsText(file: string, bytes: Uint8Array): string | Diagnostic {
  if (bytes.length > LARGEST)
    return notSettings(file, `\`${file}\` is larger than 1 MiB: it has no settings`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return notSettings(file, `\`${file}\` is not a UTF-8 text`, RECODE);
  }
}

/** The settings in a text, or what is wrong with it. `file` is for the diagnostics. */
export async function readSettings(
  file: string,
  text: string,
): Promise<ForeignRecord | readonly Diagnostic[]> {
  const yaml = await import('yaml');
  const whole: Span = { file, start: 0, end: Math.min(text.length, 1) };
  try {
    const document = yaml.parseDocument(text, {
      version: '1.1',
      merge: true,
      prettyErrors: false,
      // Compares each key with every other.
      uniqueKeys: false,
    });
    const wrong = [
      ...document.errors,
      ...document.warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED'),
    ];
    // What is nested a thousand times takes the parser deeper than its stack, wherever that ends.
    if (wrong.some(({ message }) => /call stack/i.test(message))) return [tooDeep(whole)];
    if (wrong.length > 0)
      return wrong.slice(0, MOST_ERRORS).map(({ code, message, pos: [start, end] }) => {
        const at = { file, start, end: Math.max(end, start + 1) };
        return unreadable(at, messageOf(code, message, text.slice(at.start, at.end)), helpOf(code));
      });
    if (document.contents === null) return [notSettings(file, `\`${file}\` is empty`)];
    const value = new Walk(yaml, document, file).value(document.contents, 0);
    if (value.kind !== 'record')
      return [
        notSettings(
          file,
          `\`${file}\` has ${value.kind === 'list' ? 'a list' : 'one value'}, and no settings`,
        ),
      ];
    return value;
  } catch (error) {
    if (error instanceof Unreadable) return [error.diagnostic];
    if (error instanceof RangeError) return [tooDeep(whole)];
    throw error;
  }
}

const tooDeep = (at: Span): Diagnostic =>
  unreadable(
    at,
    `lists and records are nested deeper than ${DEEPEST} levels`,
    'settings of these tools are nested in 4 at most',
  );

const MESSAGES: Readonly<Record<string, (text: string) => string>> = {
  TAB_AS_INDENT: () => 'a tab indents this line, and YAML knows spaces only',
  TAG_RESOLVE_FAILED: (text) => `the tag \`${text.slice(0, 40)}\` asks for more than a value`,
  MULTIPLE_DOCS: () => 'the file has a second document',
};

const HELPS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'replace it with spaces',
  TAG_RESOLVE_FAILED: 'write the value without the tag: code in a file of settings is never run',
  MULTIPLE_DOCS: 'keep one document in the file: what comes before or after `---`',
};

const messageOf = (code: string, message: string, text: string): string =>
  MESSAGES[code]?.(text) ??
  `${message.charAt(0).toLowerCase()}${message.slice(1).split('\n')[0]}`.replace(/\.$/, '');

const helpOf = (code: string): string => HELPS[code] ?? 'correct the YAML, or the JSON, around this place';

class Walk {
  private count = 0;

  constructor(
    private readonly yaml: Yaml,
    private readonly document: Document,
    private readonly file: string,
  ) {}

  value(node: unknown, depth: number): ForeignNode {
    const span = this.spanOf(node);
    if (++this.count > MOST_VALUES)
      throw new Unreadable(
        unreadable(
          span,
          `the file has more than ${MOST_VALUES} values`,
          'write the values without aliases of aliases',
        ),
      );
    if (depth > DEEPEST) throw new Unreadable(tooDeep(span));
    const { isAlias, isMap, isScalar, isSeq } = this.yaml;
    if (isAlias(node)) {
      const target = node.resolve(this.document);
      if (target === undefined)
        throw new Unreadable(
          unreadable(span, `no anchor has the name \`${node.source}\``, 'define it before: `&name`'),
        );
      return { ...this.value(target, depth + 1), span };
    }
    if (isSeq(node))
      return { kind: 'list', items: node.items.map((item) => this.value(item, depth + 1)), span };
    if (isMap(node)) return { kind: 'record', entries: this.entries(node.items, depth), span };
    if (isScalar(node)) return { kind: 'scalar', value: simple(node.value, node.source), span };
    return { kind: 'scalar', value: null, span };
  }

  /** A key of the record itself wins over one that is merged into it. */
  private entries(pairs: readonly Pair[], depth: number): readonly ForeignEntry[] {
    const own: ForeignEntry[] = [];
    const merged: ForeignEntry[] = [];
    const seen = new Set<string>();
    for (const { key, value } of pairs) {
      const name = this.yaml.isScalar(key) ? String(key.source ?? key.value) : undefined;
      const at = this.spanOf(key);
      if (name === '<<') merged.push(...this.merged(value, depth + 1));
      else if (name === undefined) throw new Unreadable(unreadable(at, 'a key is no name', 'give it a name'));
      else if (seen.has(name))
        throw new Unreadable(
          unreadable(
            at,
            `the key \`${name.slice(0, 60)}\` is set twice`,
            'remove one of the two: other tools silently take the last',
          ),
        );
      else own.push({ key: name, span: at, value: this.value(value, depth + 1) });
      if (name !== '<<') seen.add(name);
    }
    for (const entry of merged)
      if (!seen.has(entry.key)) {
        seen.add(entry.key);
        own.push(entry);
      }
    return own;
  }

  private merged(node: unknown, depth: number): readonly ForeignEntry[] {
    const value = this.value(node, depth);
    const records = value.kind === 'list' ? value.items : [value];
    return records.flatMap((record) => {
      if (record.kind === 'record') return record.entries;
      throw new Unreadable(
        unreadable(
          value.span,
          '`<<` merges something that has no keys',
          'merge an alias of a record: `<<: *name`',
        ),
      );
    });
  }

  private spanOf(node: unknown): Span {
    const [start, end] = (this.yaml.isNode(node) ? (node as Node).range : undefined) ?? [0, 0];
    return { file: this.file, start, end: Math.max(end, start) };
  }
}

/** Dates and the like are their text. */
function simple(value: unknown, source: string | undefined): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return source ?? String(value);
}
