import { join } from 'node:path';
import { expect } from 'chai';
import { joined } from '../../../src/language/check/overrides.js';
import { readParamFile } from '../../../src/language/check/param-file.js';
import { compile } from '../../../src/language/compile.js';
import { checkJson } from '../../../src/language/diagnostics/render/index.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const folder = join(nodeHost().packageFolder, 'test/corpus/valid');
const FILE = `edition 2026
param base: Model = starter()
param smoke: Bool = false
param most: Int(1..1000) = 100
param longest: Tokens = 128tok
param question: String = "Is it free?"
param rate: Number(1e-5..1e-2) = 1e-3
matrix rank: Int = [8, 16]
`;

function run(texts: readonly string[], typed: Record<string, string> = {}) {
  const files = texts.map((text, index) => readParamFile(text, `${index}.json`));
  const params = joined(files, typed);
  const { program, diagnostics, sources } = compile(overlayHost(folder, { 'p.ftp': FILE }), 'p.ftp', {
    params,
  });
  return { params: program?.params, found: checkJson(diagnostics, sources).diagnostics };
}
const places = (text: string) =>
  run([text]).found.map(({ code, file, line, column }) => `${code} ${file}:${line}:${column}`);

describe('a file of parameters', () => {
  it('sets parameters of every type', () => {
    const { params, found } = run([
      String.raw`{ "smoke": true, "most": 7, "longest": "512tok", "rate": 1E-4, "rank": 16,
        "question": "\"Quoted\", é\u0021\n", "base": "untrained(\"../invalid/model\", seed: 3)" }`,
    ]);
    expect(found).to.deep.equal([]);
    expect(params).to.deep.equal({
      smoke: true,
      most: 7,
      longest: 512,
      rate: 1e-4,
      rank: 16,
      question: '"Quoted", é!\n',
      base: { call: 'untrained', args: { folder: '../invalid/model', seed: 3 } },
    });
  });

  it('yields to later files, and to the command line', () => {
    const { params } = run(['{ "most": 1, "rate": 1e-4 }', '{ "most": 2 }'], { rate: '2e-4' });
    expect(params).to.include({ most: 2, rate: 2e-4 });
    expect(run(['{}']).params).to.include({ most: 100 });
    expect(run(['\ufeff { }\n']).found).to.deep.equal([]);
  });

  it('is wrong where it is wrong', () => {
    expect(places('{\n  "most": "8",\n  "smoke": 1\n}')).to.deep.equal([
      'FTP0503 0.json:2:11',
      'FTP0503 0.json:3:12',
    ]);
    expect(places('{ "most": 2000 }')).to.deep.equal(['FTP0503 0.json:1:11']);
    expect(places('{ "question": 3 }')).to.deep.equal(['FTP0503 0.json:1:15']);
    expect(places('{ "longest": 512 }')).to.deep.equal(['FTP0503 0.json:1:14']);
    expect(places('{\n "rank": 9 }')).to.deep.equal(['FTP0513 0.json:2:10']);
    expect(places('{ "moost": 3 }')).to.deep.equal(['FTP0501 0.json:1:3']);
    expect(places('{ "__proto__": 3 }')).to.deep.equal(['FTP0501 0.json:1:3']);
    expect(run(['{ "moost": 3 }']).found[0]?.['help']).to.equal('did you mean `most`?');
    expect(run(['{ "most": 2000 }']).found[0]?.message).to.equal(
      '`"most": 2000` is not a valid Int: `2000` is out of range, must be from 1 to 1000',
    );
  });

  it('is one object of simple values, each once', () => {
    expect(places('{ "most": [1, { "a": [2] }], "smoke": null, "rate": {}, "rate": 1e-4 }')).to.deep.equal([
      'FTP0517 0.json:1:11',
      'FTP0517 0.json:1:39',
      'FTP0517 0.json:1:53',
    ]);
    expect(places('{ "most": 1,\n  "most": 2 }')).to.deep.equal(['FTP0518 0.json:2:3']);
  });

  for (const [text, place] of [
    ['', '1:1'],
    ['[1]', '1:1'],
    ['{ "most": 1, }', '1:14'],
    ['{ most: 1 }', '1:3'],
    ["{ 'most': 1 }", '1:3'],
    ['{ "most" 1 }', '1:10'],
    ['{ "most": 1\n', '2:1'],
    ['{ "most": 01 }', '1:11'],
    ['{ "most": .5 }', '1:11'],
    ['{ "most": 1 } x', '1:15'],
    ['{ // a comment\n "most": 1 }', '1:3'],
    ['{ "most": [1, }', '1:15'],
    ['{ "mo\\x": 1 }', '1:3'],
    ['{ "most": "a\tb" }', '1:11'],
    ['{ "most": "a\nb" }', '1:11'],
    ['{ "most": NaN }', '1:11'],
  ] as const)
    it(`is JSON: ${JSON.stringify(text)} is not`, () => {
      expect(places(text)).to.deep.equal([`FTP0516 0.json:${place}`]);
    });
});
