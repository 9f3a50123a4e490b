import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { applyEdits } from '../../../src/language/diagnostics/apply.js';
import type { Diagnostic, Fix } from '../../../src/language/diagnostics/types.js';
import { isError } from '../../../src/language/diagnostics/types.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { checkFile } from '../../../src/language/lint/check-file.js';
import { applyFixes } from '../../../src/language/lint/fix.js';
import { overlayHost, remembering } from '../../helpers/overlay-host.js';

const root = nodeHost().packageFolder;

interface Source {
  readonly name: string;
  readonly folder: string;
  readonly files: Readonly<Record<string, string>>;
  readonly main: string;
}

/** Every pipeline of a folder. */
const sourcesIn = (folder: string): readonly Source[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ftp'))
    .map((name) => {
      const text = readFileSync(join(root, folder, name), 'utf8');
      return { name, folder: join(root, folder), files: { [name]: text }, main: name };
    });

/** The example of every page of a diagnostic or a lint. */
const pages = (): readonly Source[] =>
  readdirSync(join(root, 'docs/errors')).flatMap((name) => {
    const page = readFileSync(join(root, 'docs/errors', name), 'utf8');
    const files: Record<string, string> = {
      'data/few.jsonl': '{"instruction":"a","output":"b"}\n'.repeat(40),
      'data/general.jsonl': '{"instruction":"c","output":"d"}\n'.repeat(40),
    };
    for (const [, info = '', body = ''] of page.matchAll(/```ftp([^\n]*)\n([\s\S]*?)```/g))
      files[/^ [\w.]+$/.test(info) ? info.trim() : 'pipeline.ftp'] = body;
    return 'pipeline.ftp' in files
      ? [{ name, folder: join(root, 'test/corpus/invalid'), files, main: 'pipeline.ftp' }]
      : [];
  });

const hosts = new Map<string, Host>();

/** A host of a folder looks at the disk once. */
function hostOf({ folder, files }: Pick<Source, 'folder' | 'files'>): Host {
  const real = hosts.get(folder) ?? remembering(nodeHost(folder));
  hosts.set(folder, real);
  return overlayHost(folder, files, real);
}

const phaseOf = ({ code }: Diagnostic): string => code.slice(3, 5);

/** What a program means: without places, and without who set what. */
function meaning(host: Host, file: string): unknown {
  const { program } = checkFile(host, file).compiled;
  const plain = (key: string, value: unknown): unknown =>
    ['span', 'folder', 'doc', 'origins', 'text'].includes(key) ? undefined : value;
  return program === undefined ? undefined : JSON.parse(JSON.stringify(program, plain));
}

/** The numbers of a text, without what separates their digits. */
const numbersIn = (text: string): readonly string[] =>
  text
    .replace(/\\u\{\w+\}/g, '')
    .replace(/(?<=\d)_(?=\d)/g, '')
    .match(/\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi) ?? [];

function expectSafe(source: Source, diagnostic: Diagnostic, fix: Fix): void {
  const host = hostOf(source);
  const before = checkFile(host, source.main);
  const texts = { ...source.files };
  for (const file of new Set(fix.edits.map(({ span }) => span.file))) {
    const own = fix.edits.filter(({ span }) => span.file === file);
    texts[file] = applyEdits(texts[file] ?? host.readText(join(source.folder, file)), own);
    for (const { span, text } of own) {
      const taken = (before.sources.get(file)?.text ?? '').slice(span.start, span.end);
      // A fix that writes something else in the place of a value keeps every number of it.
      if (taken.trim() !== '' && text.trim() !== '')
        expect(numbersIn(text), `${taken} → ${text}`).to.deep.equal(numbersIn(taken));
    }
  }
  const fixed = { ...source, files: texts };
  const after = checkFile(hostOf(fixed), source.main);
  const count = (all: readonly Diagnostic[]) =>
    all.filter((one) => isError(one) && phaseOf(one) <= phaseOf(diagnostic)).length;
  // What a mistake has hidden is seen by a later phase.
  expect(count(after.diagnostics)).to.be.at.most(count(before.diagnostics));
  const same = (all: readonly Diagnostic[]) =>
    all.filter(({ code, message }) => code === diagnostic.code && message === diagnostic.message).length;
  expect(same(after.diagnostics)).to.be.below(same(before.diagnostics));
  const meant = meaning(host, source.main);
  if (meant !== undefined) expect(meaning(hostOf(fixed), source.main)).to.deep.equal(meant);
}

describe('safe fixes', () => {
  const groups: Readonly<Record<string, () => readonly Source[]>> = {
    'pages of diagnostics': pages,
    'test/corpus/invalid': () => sourcesIn('test/corpus/invalid'),
    'test/language/mistakes': () => sourcesIn('test/language/mistakes'),
  };
  for (const [group, sources] of Object.entries(groups))
    it(`of ${group} cause no error, keep every value, and change nothing again`, () => {
      let seen = 0;
      for (const source of sources()) {
        const host = hostOf(source);
        for (const diagnostic of checkFile(host, source.main).diagnostics)
          for (const fix of diagnostic.fixes ?? []) {
            if (fix.applicability !== 'safe') continue;
            seen++;
            try {
              expectSafe(source, diagnostic, fix);
            } catch (error) {
              throw new Error(`${source.name}: ${diagnostic.code}, “${fix.title}”: ${error}`);
            }
          }
        const { files } = applyFixes(host, source.main, { guesses: false });
        if (files.length === 0) continue;
        const fixed = {
          ...source.files,
          ...Object.fromEntries(files.map(({ file, after }) => [file, after])),
        };
        const again = applyFixes(hostOf({ ...source, files: fixed }), source.main, { guesses: false });
        expect(again.files, `${source.name} again`).to.deep.equal([]);
      }
      expect(seen).to.be.above(10);
    });
});

/** A habit: every place where it would be written otherwise. */
const HABITS: readonly (readonly [name: string, place: RegExp, write: (...found: string[]) => string])[] = [
  ['colons in blocks', /^( +\w+) = (?=\S)/gm, (_, name = '') => `${name}: `],
  ['equals signs in records', /(?<=[{(,] ?)(\w+): (?=\S)/g, (_, name = '') => `${name} = `],
  ['single quotes', /(?<=[(:] ?)"([^"\n'\\]*)"/g, (_, text = '') => `'${text}'`],
  ['hashes', /(?<=^|\s)\/\/(?= (?!allow))/gm, () => '#'],
  [
    'separators',
    /(?<!edition )\b(\d)(\d{3})(?=tok|steps|\b(?![\w%.]))/g,
    (_, first = '', rest = '') => `${first}_${rest}`,
  ],
  [
    'spaces before units',
    /\b(\d+)(tok|steps|GiB|h|m)\b/g,
    (_, digits = '', unit = '') => `${digits} ${unit}`,
  ],
  [
    'quoted words',
    /^( +(?:overflow|loss_on|contradictions|order|dtype|precision) = )(\w+)$/gm,
    (_, start = '', word = '') => `${start}"${word}"`,
  ],
  [
    'quoted metrics',
    /\b(?<=metrics = \[.*)(perplexity|loss|rouge_l|accuracy|f1)\b(?=[,\]])/g,
    (name) => `"${name}"`,
  ],
  ['ampersands', /^( +require .*) and /gm, (_, start = '') => `${start} && `],
  [
    'quoted names of blocks',
    /^(data|format|train|eval) (\w+)/gm,
    (_, kind, name = '') => `${kind} "${name}"`,
  ],
];

describe('habits in sound pipelines', () => {
  const sound = [...sourcesIn('test/corpus/valid'), ...sourcesIn('pipelines')].filter(
    (source) => !source.main.endsWith('.test.ftp') && meaning(hostOf(source), source.main) !== undefined,
  );
  for (const [habit, place, write] of HABITS)
    it(`${habit} are mended to the same program`, () => {
      let seen = 0;
      for (const source of sound) {
        const text = source.files[source.main] ?? '';
        const places = [...text.matchAll(place)].length;
        // All at once, and each by itself where there are few.
        for (let only = -1; only < Math.min(places, 2); only++) {
          let index = 0;
          const written = text.replace(place, (...found: string[]) =>
            only < 0 || index++ === only ? write(...found) : (found[0] ?? ''),
          );
          if (written === text) continue;
          seen++;
          const host = hostOf({ ...source, files: { [source.main]: written } });
          const { files } = applyFixes(host, source.main, { guesses: false });
          const mended = files.find(({ file }) => file === source.main)?.after ?? written;
          const after = hostOf({ ...source, files: { [source.main]: mended } });
          const meant = meaning(hostOf(source), source.main);
          expect(meaning(after, source.main), `${source.name}: ${written}`).to.deep.equal(meant);
        }
      }
      expect(seen, 'places').to.be.above(0);
    });
});
