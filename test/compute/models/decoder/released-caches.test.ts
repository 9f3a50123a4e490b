/** Keys and values that are let go are collected at once, and not when the next ones are there. */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { HostCaches } from '../../../../src/compute/models/decoder/caches.js';
import type { DecoderContext } from '../../../../src/compute/models/decoder/context.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { MOST_DISCARDED } from '../../../../src/compute/tensor/garbage.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';

describe('keys and values that are released', () => {
  const scope = globalThis as { gc?: () => void };
  const { gc } = scope;
  after(() => {
    scope.gc = gc;
  });

  it('are collected at once', async () => {
    setFlagsFromString('--expose-gc');
    scope.gc = runInNewContext('gc') as () => void;
    const host = nodeHost();
    const { config } = openModel(host, `${host.packageFolder}/stdlib/models/starter`);
    const context = { options: { config }, prefix: { inputs: () => ({}) } } as unknown as DecoderContext;
    const size = Math.ceil(
      (2 * MOST_DISCARDED) / (4 * 2 * config.layers * config.keyValueHeads * config.headDim),
    );
    const caches = new HostCaches(context, 1);
    await caches.resize(size);
    const seen = seenOf(caches);
    await turn();
    caches.release();
    expect(seen.map((each) => each.deref())).to.deep.equal(seen.map(() => undefined));
  });
});

/** What is held, in a function of its own, which keeps nothing. */
const seenOf = (caches: HostCaches): readonly WeakRef<ArrayBufferLike>[] =>
  [0, 1].map((layer) => new WeakRef(caches.inputs(layer).keys.data.buffer));
