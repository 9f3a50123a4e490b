import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Lexer } from '../../../grammar/chevrotain.js';
import { FtpParser } from '../../../grammar/parser.js';
import { TOKENS } from '../../../grammar/tokens.js';

const compiled = fileURLToPath(new URL('../../../src/language/compile.js', import.meta.url));

describe('compile()', () => {
  it('loads no tensor runtime and no tokenizer, and the parser library as one file', () => {
    const traced = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', `await import(${JSON.stringify(compiled)});`],
      { env: { ...process.env, NODE_DEBUG: 'esm' }, encoding: 'utf8', maxBuffer: 2 ** 28 },
    );
    expect(traced.status).to.equal(0);
    expect(traced.stderr).to.match(/node_modules\/chevrotain/);
    expect(traced.stderr).to.not.match(
      /node_modules\/(onnxruntime|tokenizers|@huggingface|ajv|cli-progress|yargs|lodash|tinyglobby)/,
    );
  });

  it('reads a grammar that the parser library finds nothing wrong with', () => {
    expect(() => new FtpParser({ validate: true })).to.not.throw();
    expect(() => new Lexer(TOKENS, { ensureOptimizations: true })).to.not.throw();
  });
});
