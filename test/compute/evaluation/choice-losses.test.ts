/** Rows that begin alike, as the choices of questions do, next to the same rows computed whole. */
import { join } from 'node:path';
import { expect } from 'chai';
import { choiceLosses } from '../../../src/compute/evaluation/choice-losses.js';
import { evaluationDecoder } from '../../../src/compute/evaluation/evaluation-decoder.js';
import { rowLosses } from '../../../src/compute/evaluation/losses.js';
import { openModel } from '../../../src/compute/models/load.js';
import { FIXTURES, fixture } from '../models/decoder/fixture.js';
import { openHere } from '../tensor/runtimes/here.js';
import { host } from '../training/fixture.js';
import { folder } from '../training/objectives/recorded.js';

interface Questions {
  readonly count: number;
  /** Tokens with which all questions begin. */
  readonly examples: number;
  /** Tokens of a question of its own. */
  readonly own: number;
  /** Tokens of each of its choices. */
  readonly choices: readonly number[];
}

const idAt = (seed: number): number => 3 + ((seed * 7919) % 28);

function rowsOf({ count, examples, own, choices }: Questions) {
  const texts = Array.from({ length: count }, (_, question) =>
    choices.map((scored, choice) => {
      const before = examples + own;
      const ids = Int32Array.from({ length: before + scored }, (_, at) => {
        if (at < examples) return idAt(at);
        return idAt(at < before ? at + 31 * (question + 1) : at + 31 * question + 17 * choice);
      });
      return { ids, labels: ids.slice().fill(-100, 0, before) };
    }),
  ).flat();
  const nothing = { ids: new Int32Array(), labels: new Int32Array() };
  return {
    count: texts.length,
    lengthOf: (row: number) => texts[row]?.ids.length ?? 0,
    read: (row: number) => texts[row] ?? nothing,
  };
}

const ENDINGS: Questions = { count: 5, examples: 0, own: 24, choices: [9, 14, 3, 20] };

describe('rows that begin alike', () => {
  /** The losses of both ways, and the rows and tokens of the batches that the first was computed in. */
  async function computed(model: Parameters<typeof evaluationDecoder>[0], questions: Questions) {
    const decoder = await evaluationDecoder(model);
    const batches: { readonly rows: number; readonly tokens: number }[] = [];
    const counting: typeof decoder = {
      ...decoder,
      loss: (batch, each) => {
        batches.push({ rows: batch.rows, tokens: batch.rows * batch.length });
        return decoder.loss(batch, each);
      },
    };
    const rows = rowsOf(questions);
    const progress: number[] = [];
    const options = { padId: 0, batchTokens: 512 };
    const own = await choiceLosses(counting, rows, {
      ...options,
      onProgress: (done) => void progress.push(done),
    });
    const whole = await rowLosses(decoder, rows, options);
    await decoder.release();
    expect(progress.at(-1)).to.equal(rows.count);
    expect(own.map(({ tokens }) => tokens)).to.deep.equal(whole.map(({ tokens }) => tokens));
    for (const [row, { sum }] of own.entries())
      expect(sum, `${row}`).to.be.closeTo(whole[row]?.sum ?? Number.NaN, 2e-4);
    const rowTokens = Array.from({ length: rows.count }, (_, row) => rows.lengthOf(row));
    return { batches, tokens: rowTokens.reduce((sum, length) => sum + length, 0) };
  }

  const small = async () => {
    const model = openModel(host, join(folder, 'llama'));
    return {
      runtime: await openHere('onnx'),
      config: { ...model.config, maxPositions: 1024 },
      weights: model.loadWeights('stored'),
    };
  };

  it('are joined to a row for each question, where each has a few tokens', async () => {
    const { batches, tokens } = await computed(await small(), ENDINGS);
    expect(batches.reduce((sum, { rows }) => sum + rows, 0)).to.equal(ENDINGS.count);
    expect(batches.reduce((sum, batch) => sum + batch.tokens, 0)).to.be.below(0.8 * tokens);
  });

  it('are read one after another, where questions begin with the same long examples', async () => {
    const { batches } = await computed(await small(), {
      ...{ count: 4, examples: 400, own: 12 },
      choices: [1, 1, 1, 1],
    });
    expect(batches).to.deep.equal([]);
  });

  it('are joined to several rows, where one would have more tokens than a batch', async () => {
    const { batches } = await computed(await small(), {
      ...{ count: 2, examples: 0, own: 24, choices: new Array<number>(9).fill(60) },
    });
    expect(batches.every(({ tokens }) => tokens <= 512)).to.equal(true);
    expect(batches.reduce((sum, { rows }) => sum + rows, 0)).to.equal(4);
  });

  for (const name of FIXTURES.filter((family) => !/lora|dora|pissa|patterns|saved/.test(family)))
    it(`have the losses of whole rows: ${name}${name === 'untied' || name === 'gemma3' ? '' : ' @long'}`, async () => {
      const { recording, weights } = fixture(name);
      await computed({ runtime: await openHere('onnx'), config: recording.config, weights }, ENDINGS);
    });
});
