/** How a thread waits for its share of the next node: asleep, or awake on its core. */
import type { Machine } from '../../../../language/host/host.js';

/**
 * Programs per core beyond which waiting awake takes from those that could run. Measured on two cores: alone,
 * awake is 4 to 25 % faster, small models most; next to ten other programs it takes two to three times as long.
 */
const CROWDED = 1.5;

export const isCrowded = ({ cores, load }: Pick<Machine, 'cores' | 'load'>): boolean =>
  load > CROWDED * cores;

/** Settings of a session. Awake, it goes to sleep at the end of a run: the next graph has threads of its own. */
export const waiting = (asleep: boolean): Readonly<Record<string, unknown>> =>
  asleep
    ? { intra_op: { allow_spinning: '0' } }
    : { intra_op: { allow_spinning: '1' }, force_spinning_stop: '1' };
