/** What a run costs: hours of the machine at its price, and hours of its devices. */
import type { RunEngine } from '../../language/ir/engines.js';
import type { Machine } from '../../language/ir/machine.js';
import type { PlannedDevice, Pricing, Seconds } from './plan-json.js';

const HOUR = 3600;

/**
 * `price`: US dollars per hour of a machine, from the command line. A machine is paid for with all of its devices, and
 * as many are needed as have those that compute.
 */
export function pricingOf(
  declared: Machine | undefined,
  engine: RunEngine,
  { price, device }: { readonly price?: number; readonly device?: PlannedDevice },
): Pricing {
  const hasGpu = engine.name === 'accelerate' && engine.device === 'cuda';
  const [devices, nodes] = engine.name === 'accelerate' ? [engine.devices, engine.nodes] : [1, 1];
  const gpus = hasGpu || (device !== undefined && device.isShared !== true) ? devices * nodes : 0;
  const machines = nodes * (hasGpu && declared !== undefined ? Math.ceil(devices / declared.devices) : 1);
  if (price !== undefined) return { gpus, usdPerHour: price * nodes, by: 'option', priced: null };
  const own = declared?.price;
  return own === undefined
    ? { gpus, usdPerHour: null, by: null, priced: null }
    : { gpus, usdPerHour: own * machines, by: 'machine', priced: declared?.priced ?? null };
}

export const costOf = (seconds: number, { usdPerHour }: Pick<Pricing, 'usdPerHour'>): number | undefined =>
  usdPerHour === null ? undefined : (seconds / HOUR) * usdPerHour;

export const gpuHours = (seconds: number, { gpus }: Pick<Pricing, 'gpus'>): number => (gpus * seconds) / HOUR;

/** Each end of an interval. */
export const eachOf = (seconds: Seconds, of: (seconds: number) => number): Seconds => ({
  expected: of(seconds.expected),
  low: of(seconds.low),
  high: of(seconds.high),
});
