/** The licence of rows: what the stage declares, or what a card or a licence file next to them says. */
import { basename, dirname, join, relative, sep } from 'node:path';
import { UserError } from '../../../language/diagnostics/types.js';
import { type Host, HostError } from '../../../language/host/host.js';
import type { Call } from '../../../language/ir/program.js';
import { pinnedCommit, repositoryOf } from '../../../language/schemas/repositories.js';
import type { DataSettings } from '../../../language/schemas/stages/data.js';
import { CARD, snapshotFolder } from '../hub-repositories.js';
import { sourceCalls, sourceName, sourcePaths } from './sources.js';

interface RowLicence {
  /** As it is written: `cc-by-4.0`. */
  readonly licence: string;
  /** The file that says so, as reports name it. */
  readonly file: string;
}

/** More of a card or of a licence's text is not looked at. */
const HEAD_BYTES = 64 << 10;
const LICENCE_FILE = /^(?:licen[cs]e|copying)(?:\.\w+)?$/i;
const FRONT_MATTER = /^\ufeff?---\r?\n([\s\S]*?)\r?\n---/;

/** The licences in the front matter of a card: `license: mit`, or a list below it. */
export function licencesInCard(text: string): readonly string[] {
  const front = FRONT_MATTER.exec(text)?.[1] ?? '';
  const found = /^license:[ \t]*(.*)((?:\r?\n[ \t]*-[ \t]*.+)*)/m.exec(front);
  if (found === null) return [];
  const [, inline = '', below = ''] = found;
  const inLine = inline.replace(/^\[(.*)\]\s*$/, '$1').split(',');
  return [...inLine, ...below.split(/\r?\n/).map((line) => line.replace(/^[ \t]*-[ \t]*/, ''))]
    .map((name) => name.trim().replace(/^(['"])(.*)\1$/, '$2'))
    .filter((name) => name !== '');
}

/** What a licence's text is called: by its tag, or its title in the first lines. */
export function licenceInText(text: string): string | undefined {
  const tag = /SPDX-License-Identifier:[ \t]*([\w.+-]+(?: (?:AND|OR|WITH) [\w.+-]+)*)/.exec(text)?.[1];
  if (tag !== undefined) return tag;
  const head = text.slice(0, 600).replace(/\s+/g, ' ');
  return TITLES.find(([title]) => title.test(head))?.[1];
}

/** Licences that data are published under, the narrower first. */
const TITLES: readonly (readonly [RegExp, string])[] = [
  [/Attribution-NonCommercial-ShareAlike 4\.0/i, 'CC-BY-NC-SA-4.0'],
  [/Attribution-NonCommercial-NoDerivatives 4\.0/i, 'CC-BY-NC-ND-4.0'],
  [/Attribution-NonCommercial 4\.0/i, 'CC-BY-NC-4.0'],
  [/Attribution-ShareAlike 4\.0/i, 'CC-BY-SA-4.0'],
  [/Attribution-NoDerivatives 4\.0/i, 'CC-BY-ND-4.0'],
  [/(?:Creative Commons )?Attribution 4\.0/i, 'CC-BY-4.0'],
  [/CC0 1\.0 Universal/i, 'CC0-1.0'],
  [/Open Data Commons Attribution/i, 'ODC-By-1.0'],
  [/Open Database License/i, 'ODbL-1.0'],
  [/Community Data License Agreement.{0,4}Permissive.{0,12}2\.0/i, 'CDLA-Permissive-2.0'],
  [/Apache License,? Version 2\.0/i, 'Apache-2.0'],
  [/\bMIT License\b/i, 'MIT'],
];

/** For each folder of files, the folders in which their licence may be: its own, then those above it, below the pipeline's. */
function foldersOf(call: Call, folder: string, host: Host): readonly (readonly string[])[] {
  const repository = repositoryOf(call);
  const commit = repository && pinnedCommit(call);
  if (repository !== undefined)
    return commit === undefined ? [] : [[snapshotFolder(host, repository, commit)]];
  const own = new Set(sourcePaths(call, folder, host).map(({ path }) => dirname(path)));
  return [...own].map((first) => {
    // what is next to the pipeline is the licence of the pipeline
    const isBelow = (at: string): boolean => at.startsWith(`${folder}${sep}`);
    const all = first === folder ? [] : [first];
    for (let at = dirname(first); isBelow(at); at = dirname(at)) all.push(at);
    return all;
  });
}

/** Of the rows of a stage: what it declares, or what it finds next to the files of each source. */
export function rowLicences(settings: DataSettings, folder: string, host: Host) {
  const { license } = settings;
  return sourceCalls(settings).map(({ call }) => {
    const found = licencesOf(call, folder, host);
    const licences = license === undefined ? found.map(({ licence }) => licence) : [license];
    return { source: sourceName([call]), licences, file: license === undefined ? found[0]?.file : undefined };
  });
}

/** For the report, where anything says one. */
export function licenceReport(settings: DataSettings, folder: string, host: Host): object {
  const licences = rowLicences(settings, folder, host);
  return licences.some((source) => source.licences.length > 0) ? { licences } : {};
}

/** The licences of a source, each once; none if nothing next to its files names one. */
export function licencesOf(call: Call, folder: string, host: Host): readonly RowLicence[] {
  const found = new Map<string, RowLicence>();
  for (const folders of quietly(() => foldersOf(call, folder, host)))
    for (const at of folders) {
      const nearest = licencesIn(at, host);
      for (const { licence, file } of nearest)
        found.set(licence, { licence, file: nameOf(file, call, host) });
      if (nearest.length > 0) break;
    }
  return [...found.values()];
}

const licencesIn = (folder: string, host: Host): readonly RowLicence[] =>
  quietly(() => {
    const names = host.list(folder);
    const read = (name: string): string =>
      Buffer.from(host.readBytes(join(folder, name), 0, HEAD_BYTES)).toString();
    const card = names.includes(CARD) ? licencesInCard(read(CARD)) : [];
    if (card.length > 0) return card.map((licence) => ({ licence, file: join(folder, CARD) }));
    return names
      .filter((name) => LICENCE_FILE.test(name))
      .flatMap((name) => {
        const licence = licenceInText(read(name));
        return licence === undefined ? [] : [{ licence, file: join(folder, name) }];
      });
  });

/** What is wrong with files is said where they are read for their rows. */
function quietly<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof HostError || error instanceof UserError) return [];
    throw error;
  }
}

function nameOf(path: string, call: Call, host: Host): string {
  const repository = repositoryOf(call);
  if (repository !== undefined) return `${repository.id}/${basename(path)}`;
  const name = relative(host.cwd, path);
  return name.startsWith('..') ? path : name;
}
