/** Preferences made of the recorded rows, and objectives for them. */
import type { Call } from '../../../../src/language/ir/program.js';
import { fixtureRows } from './world.js';

/** Recorded rows in twos, with the prompt of the first: its answer is the chosen one. */
export function pairs() {
  const rows = fixtureRows();
  return rows.flatMap(({ ids, labels }, row) => {
    const other = rows[row + 1];
    if (row % 2 === 1 || other === undefined) return [];
    const prompt = ids.filter((_, at) => labels[at] === -100);
    const asked = prompt.map(() => -100);
    const answers = [ids, other.ids].map((all, side) => all.slice(side === 0 ? prompt.length : -4));
    return answers.map((answer, side) => ({
      ids: [...prompt, ...answer],
      labels: [...asked, ...answer],
      side: side === 0 ? ('chosen' as const) : ('rejected' as const),
    }));
  });
}

/** Good and bad ones, in no order. */
export const judged = () =>
  pairs().map((row, at) => ({ ...row, side: at % 3 === 0 ? ('chosen' as const) : ('rejected' as const) }));

export const DPO: Call = {
  call: 'dpo',
  args: { beta: 0.2, loss: 'sigmoid', label_smoothing: 0, sft: 0 },
};
export const KTO: Call = { call: 'kto', args: { beta: 0.2, desirable: 1, undesirable: 1 } };
export const OBJECTIVES: Readonly<Record<string, Call>> = {
  dpo: DPO,
  orpo: { call: 'orpo', args: { beta: 0.2 } },
  simpo: { call: 'simpo', args: { beta: 2, gamma: 0.5 } },
  kto: KTO,
  reward: { call: 'reward', args: {} },
};
