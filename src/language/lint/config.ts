/** The levels of rules in `ftpc.json`, in the pipeline's folder or the nearest one above it. */
import { dirname, isAbsolute, join, relative } from 'node:path';
import * as errors from '../diagnostics/catalogue/lint.js';
import { nearest } from '../diagnostics/did-you-mean.js';
import { named, replace } from '../diagnostics/make.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { type Host, HostError } from '../host/host.js';
import { type SourceText, sourceText } from '../source/text.js';
import { type JsonEntry, JsonFault, type JsonNode, readJson } from './json-tree.js';
import { LEVELS, type Level } from './rule.js';
import { ruleIds } from './rules.js';

const CONFIG_FILE = 'ftpc.json';

export interface Config {
  readonly levels: ReadonlyMap<string, Level>;
  readonly diagnostics: readonly Diagnostic[];
  /** The file, if there is one, for rendering. */
  readonly source?: SourceText;
}

const NONE: Config = { levels: new Map(), diagnostics: [] };

export function configFor(folder: string, host: Host): Config {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, CONFIG_FILE);
    if (host.stat(path)?.isFolder === false) return read(path, host);
    if (dirname(at) === at) return NONE;
  }
}

function read(path: string, host: Host): Config {
  const inside = relative(host.cwd, path);
  const file = inside.startsWith('..') || isAbsolute(inside) ? path : inside;
  try {
    const source = sourceText(file, host.readText(path));
    return { ...levelsOf(source), source };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { ...NONE, diagnostics: [errors.configUnreadable({ file, start: 0, end: 0 }, error.detail)] };
  }
}

function levelsOf({ file, text }: SourceText): Config {
  const diagnostics: Diagnostic[] = [];
  const levels = new Map<string, Level>();
  try {
    const section = (node: JsonNode, where: string, known: readonly string[]): readonly JsonEntry[] =>
      entriesOf(node, where, diagnostics).filter(({ key, keySpan }) => {
        if (known.includes(key)) return true;
        diagnostics.push(
          where === '`rules`'
            ? errors.configRule(keySpan, key, known)
            : errors.configKey(keySpan, key, where, known),
        );
        return false;
      });
    for (const { key, value } of section(readJson(file, text), 'the configuration', ['$schema', 'lint']))
      if (key === 'lint')
        for (const { value: list } of section(value, '`lint`', ['rules']))
          for (const { key: id, value: level } of section(list, '`rules`', ruleIds))
            readLevel(id, level, levels, diagnostics);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    diagnostics.push(errors.configUnreadable(error.span, error.expected));
  }
  return { levels, diagnostics };
}

function readLevel(id: string, node: JsonNode, levels: Map<string, Level>, diagnostics: Diagnostic[]): void {
  const level = LEVELS.find((known) => node.kind === 'string' && node.value === known);
  if (level !== undefined) levels.set(id, level);
  else {
    const meant = node.kind === 'string' ? nearest(node.value, LEVELS) : undefined;
    const fix = replace(`write \`"${meant}"\``, node.span, JSON.stringify(meant), 'maybe_incorrect');
    diagnostics.push(
      errors.configValue(
        node.span,
        `one of ${named(LEVELS.map((known) => `"${known}"`))}`,
        meant === undefined ? [] : [fix],
      ),
    );
  }
}

/** The entries of an object, each key once. */
function entriesOf(node: JsonNode, where: string, diagnostics: Diagnostic[]): readonly JsonEntry[] {
  if (node.kind !== 'object') {
    diagnostics.push(errors.configValue(node.span, `an object for ${where}`));
    return [];
  }
  const first = new Map<string, JsonEntry>();
  for (const entry of node.entries) {
    const before = first.get(entry.key);
    if (before === undefined) first.set(entry.key, entry);
    else diagnostics.push(errors.configTwice(entry.keySpan, entry.key, before.keySpan));
  }
  return [...first.values()];
}
