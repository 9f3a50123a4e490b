/** Bits that are flipped in what a project keeps: found, or harmless; never read as something else. */
import { pool } from './cases/pool.js';
import { countIn, PROJECT } from './flip-cases.js';
import type { Kind } from './kind.js';
import { scenes } from './scenes.js';

export const flips: Kind = {
  doc: 'a bit of every byte of checkpoints, journals, outputs and releases flipped: found, or harmless',
  count: Number.POSITIVE_INFINITY,
  short: 400,
  open: async (options) => {
    const [scene] = await scenes(options.shared, [PROJECT]);
    const count = Math.min(options.count, Number.MAX_SAFE_INTEGER);
    return {
      cases: countIn(scene?.folder ?? '', count),
      batch: 1000,
      // what is read as something else is a loss, however it is tried
      ...pool(new URL('./flip-cases.js', import.meta.url).href, { ...options, count }, async (_, how) => how),
    };
  },
};
