/** How much of a device a run may use: one setting for all runtimes that have a device of their own. */
import { deviceMemoryUnreadable } from '../../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';

const VARIABLE = 'FTPC_DEVICE_MEMORY';
const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/**
 * Bytes; `undefined` if nothing is set. The variable says what this machine lets a run take, and a pipeline what it
 * lets itself take: neither may be exceeded. Throws a `UserError` for what is no size.
 */
export function deviceLimit(host: Host, ofPipeline?: number): number | undefined {
  const all = [variable(host), ofPipeline].filter((limit) => limit !== undefined);
  return all.length === 0 ? undefined : Math.min(...all);
}

function variable(host: Host): number | undefined {
  const text = host.env(VARIABLE);
  if (text === undefined || text === '') return undefined;
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMG]iB)$/.exec(text) ?? [];
  if (amount === undefined) throw new UserError(deviceMemoryUnreadable(text));
  return Math.round(Number(amount) * (UNITS[unit] ?? 1));
}
