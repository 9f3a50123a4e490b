import { join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const host = nodeHost();

for (const name of ['docs/language.md', 'docs/data.md', 'docs/training.md', 'docs/generation.md'])
  describe(name, () => {
    const page = host.readText(join(host.packageFolder, name));
    const examples = [...page.matchAll(/```ftp\n([\s\S]*?)```/g)].map(([, text = '']) => text);

    it('shows pipelines', () => expect(examples).to.have.length.above(0));

    for (const [index, text] of examples.entries())
      it(`compiles in example ${index + 1}`, () => {
        const world = overlayHost(join(host.packageFolder, 'test/corpus/valid'), { 'page.ftp': text });
        expect(compile(world, 'page.ftp').diagnostics).to.deep.equal([]);
      });
  });
