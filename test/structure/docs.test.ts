import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';
import { commands } from '../../src/tools/cli/commands/index.js';

const root = nodeHost().packageFolder;
const filesIn = (folder: string, ending: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
const pages = ['README.md', ...filesIn('docs', '.md')];
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');

/** What GitHub calls a heading in a link. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

const anchorsOf = (page: string): readonly string[] =>
  [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

describe('pages of the documentation', () => {
  it('link only to files and headings that exist', () => {
    const links = pages.flatMap((page) =>
      [...textOf(page).matchAll(/\]\(([^)\s#]*)(?:#([^)\s]*))?\)/g)]
        .map(([, path = '', anchor]) => ({ page, path, anchor }))
        .filter(({ path }) => !/^\w+:/.test(path)),
    );
    expect(links.length).to.be.greaterThan(100);
    const broken = links.filter(({ page, path, anchor }) => {
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
    });
    expect(broken).to.deep.equal([]);
  });

  it('name only source files that exist', () => {
    const named = pages.flatMap((page) =>
      [
        ...textOf(page).matchAll(/`((?:src|test|kernels|grammar|python|scripts|bench|stdlib)\/[\w./-]+)`/g),
      ].map(([, path = '']) => ({ page, path })),
    );
    expect(named.length).to.be.greaterThan(100);
    // recipes write a name to be chosen in capitals
    const missing = named.filter(({ path }) => !/\b[A-Z]{4,}\b/.test(path) && !existsSync(join(root, path)));
    expect(missing).to.deep.equal([]);
  });
});

/** `ftpc plan FILE --against main` between backticks, in a page or in a message. */
const COMMAND = /\\?`(?:npx )?ftpc ([a-z][a-z-]*)((?: [^`]*?)?)\\?`/g;

describe('commands that pages and messages name', () => {
  it('exist, and so do their options', async () => {
    const options = Object.fromEntries(
      await Promise.all(
        Object.entries(commands).map(async ([name, load]) => {
          const known = Object.keys((await load()).options);
          return [name, new Set([...known, 'help'])] as const;
        }),
      ),
    );
    const named = [...pages, ...filesIn('src', '.ts')].flatMap((page) =>
      [...textOf(page).matchAll(COMMAND)].map(([whole, name = '', rest = '']) => ({
        page,
        whole,
        name,
        rest,
      })),
    );
    expect(named.length).to.be.greaterThan(500);
    const wrong = named.filter(({ name, rest }) => {
      const known = options[name];
      // a sentence that begins with the program's name goes on in small letters
      if (known === undefined) return !/^ [a-z]/.test(rest);
      return [...rest.matchAll(/(?<![\w-])--([a-z][\w-]*)/g)].some(([, option = '']) => !known.has(option));
    });
    expect(wrong).to.deep.equal([]);
  });
});
