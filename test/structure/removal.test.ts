import { expect } from 'chai';
import { files, textOf } from './sources.js';

/** The one file that removes, by the form of what it removes. */
const REMOVES = 'src/language/host/own-files.ts';

/** What takes files and folders away, under any name that it is imported by. */
const REMOVING = /^(?:rm|unlink|rmdir)(?:Sync)?$/;

/** Names that a file imports of the file system; `*` where it imports all of them at once. */
const namesOf = (text: string): readonly string[] =>
  [...text.matchAll(/import\s+([^;]*?)\s+from\s+'(?:node:)?fs(?:\/promises)?'/g)].flatMap(([, names = '']) =>
    names.startsWith('{') ? names.split(/[{},]/).map((name) => name.trim().split(/\s/)[0] ?? '') : ['*'],
  );

const removes = (text: string): boolean =>
  namesOf(text).some((name) => name === '*' || name === 'promises' || REMOVING.test(name)) ||
  /\b(?:import|require|getBuiltinModule)\(\s*'(?:node:)?fs(?:\/promises)?'\s*\)(?!\.read)/.test(text);

describe('what the program removes', () => {
  it('goes through one file, which asks whether it is its own', () => {
    const removing = files.filter((file) => file.startsWith('src/') && removes(textOf(file)));
    expect(removing).to.deep.equal([REMOVES]);
  });

  it('is seen however it is imported', () => {
    for (const text of [
      "import { readFileSync, rmSync } from 'node:fs';",
      "import {\n  type Stats,\n  unlinkSync as away,\n} from 'node:fs';",
      "import { rmdir } from 'node:fs/promises';",
      "import { promises } from 'node:fs';",
      "import * as fs from 'node:fs';",
      "import fs from 'fs';",
      "const { rm } = await import('node:fs/promises');",
    ])
      expect(removes(text), text).to.equal(true);
    expect(removes("import { renameSync, type Stats } from 'node:fs';\nconst rmSync = 1;")).to.equal(false);
  });
});
