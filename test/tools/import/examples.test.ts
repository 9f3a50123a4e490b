import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { formatText } from '../../../src/language/formatter/index.js';
import { expectGolden } from '../../helpers/golden.js';
import { EXAMPLES, errorsOf, importExample } from './imported.js';

const NAMES = readdirSync(EXAMPLES).filter((name) => /\.(ya?ml|json)$/.test(name));

describe('ftpc import', () => {
  for (const name of NAMES)
    it(`makes a pipeline of ${name}`, async () => {
      const { text = '', keys, diagnostics } = await importExample(name);
      expect(diagnostics.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
      expectGolden(`test/tools/import/golden/${name.replace(/\.\w+$/, '')}.ftp`, text);
      expect(errorsOf(text)).to.deep.equal([]);
      expect(formatText(text, 'imported.ftp').text).to.equal(text);
      expect(
        Math.max(
          ...text
            .split('\n')
            .filter((line) => line.startsWith('//'))
            .map(({ length }) => length),
        ),
      ).to.be.at.most(80);
      // What is no setting is in a comment, by its name.
      for (const { key, status } of keys) if (status !== 'translated') expect(text, key).to.contain(key);
    });
});
