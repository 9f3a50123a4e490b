import { join } from 'node:path';
import { expect } from 'chai';
import { openModelAt } from '../../../../src/compute/models/open.js';
import { ModelError } from '../../../../src/compute/models/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';

const host = nodeHost();

describe('a model folder without a tokenizer', () => {
  const folder = join(host.packageFolder, 'test/fixtures/training/base');

  it('shows ids, within its vocabulary', async () => {
    const model = openModelAt(host, folder);
    const tokenizer = await model.tokenizer();
    expect(tokenizer.vocabSize).to.equal(model.config.vocabSize);
    expect(tokenizer.decode([3, 17])).to.equal('<3><17>');
    expect(tokenizer.tokenOf(3)).to.equal('<3>');
    expect(tokenizer.tokenOf(model.config.vocabSize)).to.equal(undefined);
  });

  it('reads no text, and names the file that it lacks', async () => {
    const tokenizer = await openModelAt(host, folder).tokenizer();
    expect(() => tokenizer.encode('text'))
      .to.throw(ModelError)
      .that.includes({ path: join(folder, 'tokenizer.json') });
  });
});
