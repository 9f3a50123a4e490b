/** Sums of rows by index, of more rows than a workgroup has threads. */
import { expect } from 'chai';
import { GraphBuilder } from '../../../../src/compute/tensor/builder.js';
import { TFJS_NAMES } from '../../../../src/compute/tensor/runtimes/tfjs/installed.js';
import { openHere, whereInstalled } from './here.js';

const [COUNT, ROWS, WIDTH] = [300, 1000, 7];

const INDICES: Readonly<Record<string, (at: number) => number>> = {
  'all of them equal': () => ROWS - 1,
  'none of them equal': (at) => (at * 7) % ROWS,
  'some of them equal': (at) => (at * at) % 97,
};

for (const name of TFJS_NAMES)
  whereInstalled(name, () => {
    describe(`sums of rows by index on ${name}`, () => {
      for (const [title, indexOf] of Object.entries(INDICES))
        it(`${title}: in the order of the rows, and zeros elsewhere`, async () => {
          const b = new GraphBuilder('scatter');
          b.output('y', b.scatterRows(b.input('i', [COUNT], 'i32'), b.input('x', [COUNT, WIDTH]), ROWS));
          const compiled = await (await openHere(name)).compile(b.build());
          const i = Int32Array.from({ length: COUNT }, (_, at) => indexOf(at));
          const x = Float32Array.from({ length: COUNT * WIDTH }, (_, at) => Math.sin(at) * 10 ** (at % 5));
          const expected = new Float32Array(ROWS * WIDTH);
          i.forEach((row, at) => {
            for (let column = 0; column < WIDTH; column++) {
              const place = row * WIDTH + column;
              expected[place] = (expected[place] ?? 0) + (x[at * WIDTH + column] ?? 0);
            }
          });
          for (let run = 0; run < 2; run++) {
            const { y } = await compiled.run({
              i: { type: { dtype: 'i32', shape: [COUNT] }, data: i },
              x: { type: { dtype: 'f32', shape: [COUNT, WIDTH] }, data: x },
            });
            // to the bit: one order of one sum
            expect(y?.data).to.deep.equal(expected);
          }
          await compiled.release();
        });
    });
  });
