import { expect } from 'chai';
import { layerKind } from '../../../../src/compute/models/adapters/kinds.js';
import { maskShape } from '../../../../src/compute/models/architectures/graphs/attention.js';
import { blockGraph } from '../../../../src/compute/models/architectures/graphs/block.js';
import { blueprintOf } from '../../../../src/compute/models/architectures/index.js';
import { trainingBlock } from '../../../../src/compute/models/decoder/graphs.js';
import { causalMask } from '../../../../src/compute/models/decoder/positions.js';
import { flopsOf } from '../../../../src/compute/tensor/cost.js';
import { transientBytes } from '../../../../src/compute/tensor/liveness.js';
import { accumulateInPlace } from '../../../../src/compute/tensor/runtimes/onnx/accumulate.js';
import { evaluate } from '../../../../src/compute/tensor/runtimes/reference/index.js';
import { randomNumbers } from '../../tensor/cases.js';
import { fixture, relativeError } from '../decoder/fixture.js';

const [rows, length] = [2, 11];

/** The factor of scores is a float32 there. */
const TILED = 1e-7;

/** Rows of several texts, of texts that begin alike, and after a prefix; the numbers of texts are of two rows. */
const CROWDS: readonly (readonly [
  title: string,
  options: Partial<Parameters<typeof blockGraph>[0]>,
  given: Readonly<Record<string, readonly number[]>>,
])[] = [
  ['packed', { packed: 4 }, { segments: [1, 1, 1, 2, 2, 2, 2, 3, 3, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 0] }],
  [
    'forked',
    { forked: true },
    { forks: [-1, -1, -1, -1, 1, 1, 1, 2, 2, 0, 0, -1, -1, 1, 1, 1, 1, 2, 2, 2, 2, 0] },
  ],
  ['after a prefix', { prefix: 3 }, { 'prefix.mask': Array.from({ length: 3 * length }, () => 0) }],
  [
    'packed, after a prefix',
    { prefix: 3, packed: 8 },
    {
      segments: [1, 1, 1, 1, 2, 2, 2, 2, 2, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 0],
      'prefix.mask': Array.from({ length: rows * 3 * length }, () => 0),
    },
  ],
  [
    'after what was read before',
    { prefix: 5, ownPrefixes: true },
    { 'prefix.mask': Array.from({ length: rows * 5 * length }, (_, at) => (at % 5 < 2 ? -1e9 : 0)) },
  ],
];

describe('attention over blocks of queries', () => {
  for (const name of ['tied', 'mistral', 'gemma2', 'neox'])
    it(`gives what one block gives, with every gradient: ${name}`, () => {
      const { config } = fixture(name).recording;
      const kind = layerKind(blueprintOf(config), undefined, 0);
      const graphOf = (queryBlock: number, options: { attendsAgain?: boolean; keyTile?: number } = {}) =>
        blockGraph({ config, kind, rows, length, queryBlock, ...options, dropout: 0, trainable: 'full' })
          .joint;
      const whole = graphOf(length);
      const random = randomNumbers(3);
      const inputs = Object.fromEntries(
        whole.inputs.map(({ name: input, value }) => {
          const shape = whole.types[value]?.shape ?? [];
          const size = shape.reduce((product, count) => product * count, 1);
          return [input, Array.from({ length: size }, () => random() - 0.5)];
        }),
      );
      const withMask = (queryBlock: number) => {
        const shape = maskShape(length, queryBlock);
        const mask = new Float32Array(shape[0] * shape[1]);
        causalMask(shape, kind.block.attention.window, mask);
        return { ...inputs, mask: [...mask] };
      };
      const expected = evaluate(whole, withMask(length));
      for (const size of [1, 4, 5]) {
        const found = evaluate(graphOf(size), withMask(size));
        for (const [output, values] of Object.entries(expected))
          expect(relativeError(found[output] ?? [], values), output).to.be.at.most(1e-9);
        // the same probabilities, computed twice
        expect(evaluate(graphOf(size, { attendsAgain: true }), withMask(size))).to.deep.equal(found);
        for (const keyTile of [2, 5]) {
          const tiled = evaluate(graphOf(size, { keyTile }), withMask(size));
          for (const [output, values] of Object.entries(expected))
            expect(relativeError(tiled[output] ?? [], values), output).to.be.at.most(TILED);
        }
      }
    });

  for (const [title, options, given] of CROWDS)
    it(`gives in tiles what it gives at once, with every gradient: ${title}`, () => {
      for (const name of ['tied', 'mistral']) {
        const { config } = fixture(name).recording;
        const kind = layerKind(blueprintOf(config), undefined, 0);
        const graphOf = (keyTile?: number) =>
          blockGraph({
            config,
            kind,
            rows,
            length,
            queryBlock: 4,
            keyTile,
            ...options,
            dropout: 0,
            trainable: 'full',
          }).joint;
        const whole = graphOf();
        const random = randomNumbers(4);
        const drawn = whole.inputs.map(({ name: input, value }): [string, readonly number[]] => {
          const size = (whole.types[value]?.shape ?? []).reduce((product, count) => product * count, 1);
          return [input, Array.from({ length: size }, () => random() - 0.5)];
        });
        const shape = maskShape(length, 4);
        const mask = new Float32Array(shape[0] * shape[1]);
        causalMask(shape, kind.block.attention.window, mask);
        const inputs = { ...Object.fromEntries(drawn), mask: [...mask], ...given };
        const expected = evaluate(whole, inputs);
        for (const keyTile of [2, 3, 8]) {
          const found = evaluate(graphOf(keyTile), inputs);
          for (const [output, values] of Object.entries(expected))
            expect(relativeError(found[output] ?? [], values), `${name} ${keyTile} ${output}`).to.be.at.most(
              TILED,
            );
        }
      }
    });

  it('computes next to nothing that the mask throws away, and needs memory in proportion to the length', () => {
    const { config } = fixture('tied').recording;
    const kind = layerKind(blueprintOf(config), undefined, 0);
    const graph = (rowLength: number, queryBlock: number) =>
      blockGraph({ config, kind, rows: 1, length: rowLength, queryBlock, dropout: 0, trainable: 'none' })
        .joint;
    expect(flopsOf(graph(2048, 64))).to.be.below(0.6 * flopsOf(graph(2048, 2048)));
    expect(transientBytes(graph(4096, 64))).to.be.below(2.2 * transientBytes(graph(2048, 64)));
  });

  for (const saved of ['both', 'attention', 'nothing'] as const)
    it(`takes gradients block by block: scores of one block exist at a time, with ${saved} saved`, () => {
      const { config } = fixture('tied').recording;
      const kind = layerKind(blueprintOf(config), undefined, 0);
      const bytes = (rowLength: number) => {
        const options = { config, trainable: 'full' } as const;
        const { backward } = trainingBlock(options, kind, { rows: 1, length: rowLength }, saved, false);
        return [backward, accumulateInPlace(backward, 0)].map(transientBytes);
      };
      const [short, long] = [bytes(2048), bytes(4096)];
      // those of all blocks would be 4 times as large
      for (const at of [0, 1]) expect(long[at]).to.be.below(2.4 * (short[at] ?? 0));
    });
});
