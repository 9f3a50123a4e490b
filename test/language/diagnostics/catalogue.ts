import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { rules } from '../../../src/language/lint/index.js';

const root = nodeHost().packageFolder;

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');
export const write = (path: string, text: string): void => writeFileSync(join(root, path), text);

/** Codes of the files that make them, sorted. */
export const CODES: readonly string[] = [
  ...new Set(
    readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => read(join('src', name)).match(/(?<=')FTP\d{4}(?=')/g) ?? []),
  ),
].sort();

export const PAGES: readonly string[] = readdirSync(join(root, 'docs/errors')).map((name) =>
  name.replace(/\.md$/, ''),
);

/** What `ftpc check` finds in a sound pipeline: lints, comments that allow them, and their configuration. */
export const isOfLint = (code: string): boolean =>
  (code >= 'FTP1001' && code < 'FTP1060') || rules.some((rule) => rule.code === code);

/** Found by a plan, in a text that is sound. */
const OF_PLANS = new Set(['FTP0436', 'FTP0529']);

/** Up to 05xx a code is found in the text of a pipeline; later ones need files, a plan or a run. */
export const isOfText = (code: string): boolean => code < 'FTP0600' && !OF_PLANS.has(code);
