/** Pairs of answers whose prompt is computed once, next to their rows. */
import { join } from 'node:path';
import { expect } from 'chai';
import { evaluationDecoder } from '../../../src/compute/evaluation/evaluation-decoder.js';
import { decoderModel } from '../../../src/compute/evaluation/language-model.js';
import { scoreRows } from '../../../src/compute/evaluation/scores.js';
import { openModel } from '../../../src/compute/models/load.js';
import type { Adapter } from '../../../src/compute/models/types.js';
import type { TokenRow } from '../../../src/compute/training/batch.js';
import { joinedLength } from '../../../src/compute/training/objectives/joined.js';
import type { CountedTexts } from '../../../src/compute/training/objectives/sharing.js';
import { LengthCounts } from '../../../src/pipeline/stages/format/split-files.js';
import { openHere } from '../tensor/runtimes/here.js';
import { host } from '../training/fixture.js';
import { folder, startOf } from '../training/objectives/recorded.js';

/** With prompts of 40 tokens, and one whose answers begin alike. */
const texts = Array.from({ length: 7 }, (_, pair) =>
  [4 + pair, 12].map((answer, side): TokenRow => {
    const ids = Int32Array.from({ length: 40 + answer }, (_, at) => {
      const isOwn = at >= 40 && (pair !== 3 || at > 41);
      return 3 + ((at * 31 + pair * 7 + (isOwn ? 5 * side : 0)) % 60);
    });
    return { ids, labels: ids.slice().fill(-100, 0, 40) };
  }),
).flat();
const rows = {
  count: texts.length,
  lengthOf: (row: number) => texts[row]?.ids.length ?? 0,
  read: (row: number) => texts[row] as TokenRow,
};

function counted(): CountedTexts {
  const [alone, joined] = [new LengthCounts(), new LengthCounts()];
  for (const [row, text] of texts.entries()) {
    alone.add(text.ids.length, 0);
    if (row % 2 === 1) joined.add(joinedLength([texts[row - 1] as TokenRow, text]), 0);
  }
  return { ...alone, joined };
}

describe('pairs of answers whose prompt is computed once', () => {
  /** Tokens that the decoder is given, and what the model says. */
  async function asked(pairs: CountedTexts | undefined, adapter?: Adapter) {
    const model = openModel(host, join(folder, 'llama'));
    const decoder = await evaluationDecoder({
      runtime: await openHere('onnx'),
      config: model.config,
      weights: model.loadWeights('stored'),
      ...(adapter && { adapter }),
    });
    let tokens = 0;
    const of = decoderModel({
      ...decoder,
      loss: (batch, each) => {
        tokens += batch.rows * batch.length;
        return decoder.loss(batch, each);
      },
      classify: (batch) => {
        tokens += batch.rows * batch.length;
        return decoder.classify(batch);
      },
    });
    const progress: number[] = [];
    const options = { padId: 0, pairs, onProgress: (done: number) => void progress.push(done) };
    const values =
      adapter === undefined
        ? (await of.losses(rows, options)).flatMap(({ sum, tokens }) => [sum, tokens])
        : [...(await scoreRows(of, rows, options))];
    await of.release();
    return { values, tokens, done: progress.at(-1) };
  }

  for (const [what, adapter] of [
    ['losses', undefined],
    ['scores', startOf('llama', { kind: 'reward' })],
  ] as const)
    it(`have the ${what} of their rows, from fewer tokens`, async () => {
      const [apart, once] = [await asked(undefined, adapter), await asked(counted(), adapter)];
      expect(once.values.length).to.equal(apart.values.length);
      for (const [at, value] of apart.values.entries())
        expect(once.values[at], `${at}`).to.be.closeTo(value, 2e-5 * Math.max(1, Math.abs(value)));
      expect(once.tokens).to.be.below(0.8 * apart.tokens);
      expect([once.done, apart.done]).to.deep.equal([rows.count, rows.count]);
    });
});
