/** How much of a device a run may use: one setting for all runtimes that have a device of their own. */
import { deviceMemoryUnreadable } from '../../diagnostics/catalogue/runtimes.js';
import { UserError } from '../../diagnostics/types.js';
import type { Host } from '../../source/host.js';

const VARIABLE = 'FTPC_DEVICE_MEMORY';
const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Bytes; `undefined` where nothing is set. Throws a `UserError` for what is no size. */
export function deviceLimit(host: Host): number | undefined {
  const text = host.env(VARIABLE);
  if (text === undefined || text === '') return undefined;
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMG]iB)$/.exec(text) ?? [];
  if (amount === undefined) throw new UserError(deviceMemoryUnreadable(text));
  return Math.round(Number(amount) * (UNITS[unit] ?? 1));
}
