import { expect } from 'chai';
import { expectGolden } from '../helpers/golden.js';
import { ROOMS, roomOf } from './house.js';
import { drawHouse } from './picture.js';
import { files, importsOf, textOf } from './sources.js';

const SYSTEM_MODULES = /^node:(fs|fs\/promises|child_process|process|os|net|http|https|worker_threads)$/;

/** Files that import each other, types included, because what they define does: no others may, and the list may only shrink. */
const CIRCLES: readonly { readonly files: readonly string[]; readonly why: string }[] = [
  {
    files: ['calls', 'fields', 'setting-value', 'unions'].map((name) => `src/language/check/${name}.ts`),
    why: 'a value consists of values',
  },
  {
    files: [
      'builder.ts',
      'ops/broadcasting.ts',
      'ops/definition.ts',
      'ops/gather.ts',
      'ops/index.ts',
      'ops/layout.ts',
      'ops/matmul.ts',
      'ops/reduce.ts',
      'ops/transformer.ts',
      'ops/unary.ts',
    ].map((file) => `src/compute/tensor/${file}`),
    why: 'the gradient of an op is a graph of ops',
  },
];

/** Lines above which a source file needs a reason. */
const LONGEST_FILE = 500;

const imports = files.flatMap(importsOf);

/** Groups of files of which each imports every other, if by way of others. */
function circles(): readonly string[][] {
  const next = new Map(files.map((file) => [file, new Set<string>()]));
  for (const { from, to } of imports) if (next.has(to)) next.get(from)?.add(to);
  const reached = (file: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    const open = [file];
    for (let at = open.pop(); at !== undefined; at = open.pop())
      for (const to of next.get(at) ?? [])
        if (!seen.has(to)) {
          seen.add(to);
          open.push(to);
        }
    return seen;
  };
  const inCircles = new Map(
    files.flatMap((file) => {
      const seen = reached(file);
      return seen.has(file) ? [[file, seen] as const] : [];
    }),
  );
  const found = [...inCircles].map(([file, seen]) =>
    [...seen].filter((other) => inCircles.get(other)?.has(file)).sort(),
  );
  return [...new Map(found.map((circle) => [circle.join(), circle])).values()];
}

describe('the house', () => {
  it('has a room for every file', () => {
    expect(files.filter((file) => roomOf(file) < 0)).to.deep.equal([]);
  });

  it('imports only from the same room or an earlier one', () => {
    const wrong = imports
      .filter(({ from, to }) => /^(bench|grammar|src)\//.test(to) && roomOf(to) > roomOf(from))
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(wrong).to.deep.equal([]);
  });

  it('has files that import each other only where what they define does', () => {
    expect(circles()).to.have.deep.members(CIRCLES.map(({ files }) => [...files].sort()));
  });

  it('touches files, processes and the clock only at the rim', () => {
    const wrong = imports
      .filter(({ from, to }) => SYSTEM_MODULES.test(to) && !ROOMS[roomOf(from)]?.rim)
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(wrong).to.deep.equal([]);
  });

  it('gives no process the whole environment', () => {
    const started = files
      .filter((file) => file.startsWith('src/'))
      .map((file) => ({ file, text: textOf(file) }))
      .filter(
        ({ text }) =>
          /from '(?:node:child_process|execa)'/.test(text) && !/import type [^\n]*child_process/.test(text),
      );
    expect(started.length).to.be.greaterThan(5);
    const whole = started.filter(
      ({ text }) => !text.includes('childEnvironment(') || /extendEnv: true/.test(text),
    );
    expect(whole.map(({ file }) => file)).to.deep.equal([]);
    const execa = started.filter(
      ({ text }) => /\bexeca(?:Sync)?\(/.test(text) && !text.includes('extendEnv: false'),
    );
    expect(execa.map(({ file }) => file)).to.deep.equal([]);
  });

  it('is drawn as it is', () => {
    expectGolden('docs/images/house.svg', drawHouse());
    const page = textOf('docs/architecture.md');
    const places = ROOMS.map(({ path }) => page.indexOf(`| \`${path}${path.endsWith('.ts') ? '' : '/'}\` |`));
    expect(places).to.deep.equal([...places].sort((a, b) => a - b));
    expect(places).to.not.include(-1);
  });

  it('keeps its files short', () => {
    const long = files.filter(
      (file) => !/\.generated\.ts$/.test(file) && textOf(file).split('\n').length > LONGEST_FILE,
    );
    expect(long).to.deep.equal([]);
  });
});
