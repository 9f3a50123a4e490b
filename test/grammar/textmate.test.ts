import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import type * as Oniguruma from 'vscode-oniguruma';
import type * as Textmate from 'vscode-textmate';
import { nodeHost } from '../../src/language/host/node-host.js';
import { expectGolden } from '../helpers/golden.js';
import { textmateGrammar } from '../helpers/grammar/textmate.js';

const require = createRequire(import.meta.url);
const textmate = require('vscode-textmate') as typeof Textmate;
const oniguruma = require('vscode-oniguruma') as typeof Oniguruma;

const root = nodeHost().packageFolder;

async function loadGrammar(): Promise<Textmate.IGrammar> {
  const wasm = readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(textmateGrammar(), 'ftp.tmLanguage.json'),
  });
  const grammar = await registry.loadGrammar('source.ftp');
  if (grammar === null) throw new Error('the grammar cannot be loaded');
  return grammar;
}

/** Each line, and below it its pieces with their scopes. */
function scopes(grammar: Textmate.IGrammar, text: string): string {
  let stack = textmate.INITIAL;
  const lines: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    lines.push(`>${line}`);
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    for (const { startIndex, endIndex, scopes } of tokens) {
      const piece = line.slice(startIndex, endIndex);
      const named = scopes.slice(1).map((scope) => scope.replace(/\.ftp$/, ''));
      if (piece.trim() !== '') lines.push(`  ${piece.trim()}  ${named.join(' ')}`);
    }
    stack = ruleStack;
  }
  return `${lines.join('\n')}\n`;
}

describe('TextMate grammar', () => {
  let grammar: Textmate.IGrammar;
  before(async () => {
    grammar = await loadGrammar();
  });

  it('grammar/ftp.tmLanguage.json is that of the tables', () =>
    expectGolden('grammar/ftp.tmLanguage.json', textmateGrammar()));

  for (const [name, file] of [
    ['legal', 'pipelines/legal.ftp'],
    ['tricky', 'test/grammar/scopes/tricky.ftp'],
  ] as const)
    it(`gives the scopes of ${name}`, () =>
      expectGolden(
        `test/grammar/scopes/${name}.golden`,
        scopes(grammar, readFileSync(join(root, file), 'utf8')),
      ));

  it('leaves nothing without a scope', () => {
    for (const file of ['pipelines/legal.ftp', 'test/grammar/scopes/tricky.ftp']) {
      const lines = scopes(grammar, readFileSync(join(root, file), 'utf8')).split('\n');
      expect(lines.filter((line) => /^ {2}.* {2}$/.test(line))).to.deep.equal([]);
    }
  });
});
