/** Products in bfloat16 against PyTorch's autocast: see test/fixtures/autocast/record.py. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import type { Precision } from '../../../../src/compute/models/decoder/types.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { VARIANTS } from '../../../../src/compute/tensor/runtimes/tensorflow/variants.js';
import type { Runtime } from '../../../../src/compute/tensor/types.js';
import { openHere, whereInstalled, whyBf16RoundsTwice } from '../../tensor/runtimes/here.js';
import { fixture, unpack } from './fixture.js';

interface Autocast {
  readonly logits: Parameters<typeof unpack>[0];
  readonly rows: readonly number[];
  readonly gradients: Readonly<Record<string, Parameters<typeof unpack>[0]>>;
  /** How far float32 is from it. */
  readonly deviation: { readonly logits: number; readonly gradients: Readonly<Record<string, number>> };
}

const recorded: Autocast = JSON.parse(
  readFileSync(new URL('../../../../../test/fixtures/autocast/untied.json', import.meta.url), 'utf8'),
);

/** ‖left − right‖ ÷ ‖right‖ */
function distance(left: Float32Array, right: Float32Array): number {
  const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
  return norm(Array.from(right, (x, at) => (left[at] ?? 0) - x)) / norm([...right]);
}

describe('precision', () => {
  const { recording, adapter, batch, weights } = fixture('untied');

  async function computed(precision: Precision, open: () => Promise<Runtime>) {
    const decoder = await createDecoder({
      runtime: await open(),
      config: recording.config,
      weights,
      adapter,
      trainable: 'adapter',
      checkpointedBlocks: 0,
      logitsChunk: 64,
      precision,
    });
    const { rows } = await decoder.accumulate(batch, 1 / recording.supervised, {
      seed: 0,
      step: 0,
      micro: 0,
    });
    await decoder.collectGradients();
    const gradients = new Map([...decoder.gradients].map(([name, data]) => [name, data.slice()]));
    const logits = await decoder.logits(batch);
    await decoder.release();
    return { rows, gradients, logits };
  }

  /** Of a row: two runs that round in another order. */
  const LOSS = 3e-3;
  /** Two runs that round in another order differ by √2 of what each differs from float32; single tensors by more. */
  const APART = 2;

  const onnx = () => onnxRuntime({ threads: 1 });

  async function compare(open: () => Promise<Runtime>): Promise<void> {
    const [short, long] = [await computed('bf16', open), await computed('f32', onnx)];
    const { deviation } = recorded;
    short.rows.forEach(({ sum }, row) => {
      expect(Math.abs(sum / (recorded.rows[row] ?? 0) - 1)).to.be.at.most(LOSS);
    });
    expect(distance(short.logits, unpack(recorded.logits))).to.be.at.most(APART * deviation.logits);
    expect(distance(short.logits, long.logits) / deviation.logits).to.be.within(0.5, 1.5);
    for (const [name, expected] of Object.entries(recorded.gradients)) {
      const [here, exact] = [short.gradients.get(name), long.gradients.get(name)];
      if (here === undefined || exact === undefined) throw new Error(`no gradient of ${name}`);
      const away = deviation.gradients[name] ?? 0;
      expect(distance(here, unpack(expected)), name).to.be.at.most(APART * away);
      expect(distance(here, exact) / away, name).to.be.within(0.3, 1.5);
    }
  }

  const title =
    'is as far from float32 as autocast is, and no farther from autocast than two orders of rounding';
  it(`bf16 ${title}`, () => compare(onnx));

  whereInstalled('tensorflow', () => {
    const native = () => openHere('tensorflow', VARIANTS.bf16);
    const roundsTwice = whyBf16RoundsTwice();
    if (roundsTwice === undefined) it(`bf16 on bfloat16 ${title}`, () => compare(native));
    else it.skip(`bf16 on bfloat16 ${title}: ${roundsTwice}`, () => {});

    it('bf16 on bfloat16 gives the losses of its emulation', async () => {
      const [here, there] = [await computed('bf16', native), await computed('bf16', onnx)];
      here.rows.forEach(({ sum }, row) => {
        expect(Math.abs(sum / (there.rows[row]?.sum ?? 0) - 1)).to.be.at.most(LOSS);
      });
    });
  });
});
