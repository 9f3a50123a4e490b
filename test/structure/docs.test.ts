import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';

const root = nodeHost().packageFolder;
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
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
