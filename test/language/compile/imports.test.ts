import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { natives } from '../../../src/language/check/declare.js';
import { ModuleLoader, PRELUDE } from '../../../src/language/check/modules.js';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { functions } from '../../../src/language/schemas/functions/index.js';
import { failingHost, overlayHost } from '../../helpers/overlay-host.js';

const host = nodeHost();
const loader = new ModuleLoader(host);
const modules = [PRELUDE, ...loader.libraryNames()];

describe('the standard library', () => {
  it('declares every function in one module, with its family', () => {
    const declared = modules.flatMap((name) => loader.library(name)?.tree.natives ?? []);
    const table = Object.entries(functions).map(
      ([name, { family, spelling = name }]) => `${spelling} from ${family}`,
    );
    expect(declared.map(({ name, family }) => `${name.text} from ${family.text}`).sort()).to.deep.equal(
      table.sort(),
    );
    expect(loader.diagnostics).to.deep.equal([]);
  });

  it('compiles module by module, without a diagnostic', () => {
    for (const name of readdirSync(join(host.packageFolder, 'stdlib/std'))) {
      const { diagnostics } = compile(host, join(host.packageFolder, 'stdlib/std', name));
      // A native is out of place in a file that is not imported as a part of the library.
      expect(diagnostics.filter(({ code }) => code !== 'FTP0118')).to.deep.equal([]);
    }
  });

  it('documents its modules', () => {
    for (const name of modules) expect(loader.library(name)?.tree.doc, name).to.match(/\w/);
  });

  it('exports nothing that the function table lacks', () => {
    for (const name of modules)
      expect([...natives(loader.library(name)).keys()]).to.have.length(
        loader.library(name)?.tree.natives.length ?? -1,
      );
  });
});

describe('files that are imported', () => {
  const folder = join(host.packageFolder, 'test/corpus/valid');
  const compiled = (files: Record<string, string>) => compile(overlayHost(folder, files), 'main.ftp');

  it('are read once, and know their own names', () => {
    const { diagnostics, program } = compiled({
      'main.ftp': `edition 2026
import { few } from "./a.ftp"
import { most } from "./b.ftp"
import { jsonl } from "std/data"
data rows using few { source = jsonl("data/general.jsonl"), require rows <= most }
`,
      'a.ftp': 'edition 2026\nimport { most } from "./b.ftp"\npreset few for data { limit = most / 2 }\n',
      'b.ftp': 'edition 2026\nparam most: Int = 10\n',
    });
    expect(diagnostics).to.deep.equal([]);
    expect(program?.stages[0]?.settings['limit']).to.equal(5);
    expect(program?.stages[0]?.origins['limit']).to.equal('preset');
  });

  it('are reported with their own places', () => {
    const { diagnostics } = compiled({
      'main.ftp': 'edition 2026\nimport { few } from "./a.ftp"\n',
      'a.ftp': 'edition 2026\npreset few for data { limit = 1.5 }\nparam few2: Int = x\n',
    });
    expect(diagnostics.filter(({ severity }) => severity === 'error')).to.have.length(2);
    for (const { at, severity } of diagnostics)
      if (severity === 'error') expect(at).to.have.property('file', 'a.ftp');
  });

  it('end in a diagnostic where the pipeline itself cannot be read', () => {
    expect(compile(host, 'no/such.ftp').diagnostics.map(({ code }) => code)).to.deep.equal(['FTP0601']);
    expect(compile(host, 'test').diagnostics.map(({ code }) => code)).to.deep.equal(['FTP0602']);
    expect(compile(failingHost(folder), 'legal.ftp').diagnostics.map(({ code }) => code)).to.deep.equal([
      'FTP0603',
    ]);
  });
});
