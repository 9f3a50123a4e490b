/**
 * AdamW with both moments in 8 bits (Dettmers et al. 2022, arXiv 2110.02861), as bitsandbytes computes it: blocks of 256
 * share the largest magnitude, and each value is the nearest of 256 codes between dynamic exponents.
 */

import { sizeOf } from '../../tensor/shape.js';
import { adamKernel, BLOCK, MEANS, SQUARES } from './adam-kernel.js';
import { adamw } from './adamw.js';
import { floats, type Rule } from './optimizer.js';

/** Smaller parameters keep float32 moments (bitsandbytes' `min_8bit_size`). */
const SMALLEST = 4096;

/**
 * Embeddings too, as transformers' Trainer has it: rows of tokens that did not come up have gradients of 0, and a second
 * moment that is rounded to 0 next to them would make the next step as large as 1 ÷ epsilon.
 */
const EMBEDDING =
  /(?:^|\.)(?:embed_tokens|embed_in|wte|wpe)\.weight$|^prompt_(?:embeddings$|encoder\.embedding\.)/;

export const adamw8bit: Rule = {
  slots(shape, name) {
    const count = sizeOf(shape);
    if (count < SMALLEST || EMBEDDING.test(name)) return adamw.slots(shape, name);
    const blocks = Math.ceil(count / BLOCK);
    return {
      m: { type: 'u8', length: count, fill: MEANS.indexOf(0) },
      v: { type: 'u8', length: count, fill: SQUARES.indexOf(0) },
      m_absmax: floats(blocks),
      v_absmax: floats(blocks),
    };
  },
  update(input) {
    const { m, v, m_absmax: meanScales, v_absmax: squareScales } = input.slots;
    if (!(m instanceof Uint8Array) || !(v instanceof Uint8Array)) return adamw.update(input);
    adamKernel().adamw8bit(input, {
      m,
      v,
      meanScales: meanScales as Float32Array,
      squareScales: squareScales as Float32Array,
    });
  },
};
