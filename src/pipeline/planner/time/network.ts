/** How fast machines that share a training send each other bytes, and where that figure is from. */
import type { Ranks, RunEngine } from '../../../language/ir/engines.js';
import type { Machine } from '../../../language/ir/machine.js';
import type { PlannedNetwork } from '../plan-json.js';
import { DEFAULT_LINKS } from './utilisation.js';

/** Machines, and devices of each: of one that is rented out, more devices than it has are several. */
export function machinesOf(
  { devices, nodes }: Pick<Ranks, 'devices' | 'nodes'>,
  machine: Machine | undefined,
): Pick<Ranks, 'devices' | 'nodes'> {
  const each = machine?.provider === undefined ? 1 : Math.ceil(devices / machine.devices);
  return { devices: devices / each, nodes: nodes * each };
}

/**
 * A card says nothing of what it is built into: with as many of them, machines that are rented out have networks for
 * training. Where nothing is known of any, it is taken for an office's. `undefined` where nothing is sent between machines.
 */
export function networkOf(
  engine: RunEngine,
  machine: Machine | undefined,
  known: readonly Machine[],
): PlannedNetwork | undefined {
  if (engine.name === 'embedded' || machine?.device === undefined) return undefined;
  const { devices, nodes } = machinesOf(engine, machine);
  if (nodes === 1) return undefined;
  if (machine.network !== undefined) return { ...exactly(machine.network), from: 'machine' };
  const { network } = DEFAULT_LINKS;
  return (
    (machine.provider === undefined ? usual(machine, devices, known) : undefined) ?? {
      ...{ bytesPerSecond: network, slowest: network, fastest: FASTEST },
      from: 'default',
    }
  );
}

/** Eight adapters of 400 Gbit/s. */
const FASTEST = 400e9;

const exactly = (bytesPerSecond: number) => ({
  ...{ bytesPerSecond, slowest: bytesPerSecond, fastest: bytesPerSecond },
});

type Networked = Machine & { readonly network: number };

/** That of the middle one of the machines that have so many of a device; of two, of the slower one. */
function usual({ device }: Machine, devices: number, known: readonly Machine[]): PlannedNetwork | undefined {
  const found = known
    .filter((one): one is Networked => one.network !== undefined && one.device === device)
    .filter((one) => one.provider !== undefined && one.devices === devices)
    .toSorted((a, b) => a.network - b.network);
  const [slowest, middle, fastest] = [found[0], found[Math.ceil(found.length / 2) - 1], found.at(-1)];
  if (slowest === undefined || middle === undefined || fastest === undefined) return undefined;
  return {
    bytesPerSecond: middle.network,
    slowest: slowest.network,
    fastest: fastest.network,
    from: 'others',
    like: middle.name,
  };
}
