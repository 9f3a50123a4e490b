import { MOST_DEVICES } from '../../ir/engines.js';
import type { MachineSettings } from '../../ir/machine.js';
import { defaulted, optional, required, type Setting, t } from '../schema.js';

const rate = (what: string) => optional(t.quantity('rate', { min: 1e9 }), what);

/** What a `machine` declares: the catalogue of the library, and machines of the user's own. No key of a stage has it. */
export const machineSettings = {
  device: optional(
    t.filled,
    'What its driver calls the device that computes, such as `NVIDIA A10G`; left out, the machine computes with its processor.',
  ),
  devices: defaulted(t.integer({ min: 1, max: MOST_DEVICES }), 1, 'How many devices it has.'),
  memory: required(
    t.quantity('bytes', { min: 1 }),
    'Memory of one device, as its driver shows it; of a machine without a device, its memory.',
  ),
  usable: optional(
    t.number({ above: 0, max: 1 }),
    'Share of the memory that a plan may use. Default: 95% of a device, 90% of a machine without one.',
  ),
  bandwidth: optional(t.quantity('bandwidth', { min: 1e6 }), 'How fast a device reads its own memory.'),
  rates: optional(
    t.record({
      f32: rate('Of float32, without tensor cores.'),
      tf32: rate('Of float32, rounded to TF32.'),
      bf16: rate('Of bfloat16 with sums in float32; left out where the device has none.'),
      f16: rate('Of float16 with sums in float32.'),
      int8: rate('Of 8-bit integers.'),
    }),
    'Operations per second of dense products on one device, by the format of what is multiplied: the dense figures of a data sheet, which are half of those “with sparsity”.',
  ),
  interconnect: optional(
    t.quantity('bandwidth', { min: 1e6 }),
    'Bandwidth between the devices of the machine, of each, both directions together. Default: 64GB/s, as of PCIe 4.0.',
  ),
  network: optional(
    t.quantity('bandwidth', { min: 1e6 }),
    'Bandwidth between such machines, in one direction. Default: that of machines of the library that are rented out with as many of this device, else 1.25GB/s, as of 10 Gbit/s.',
  ),
  host_memory: optional(
    t.quantity('bytes', { min: 1 }),
    'Memory of the machine besides that of its devices.',
  ),
  cores: optional(t.integer({ min: 1 }), 'Cores of its processor.'),
  provider: optional(t.filled, 'Who rents it out; left out for a card.'),
  price: optional(
    t.quantity('hourly_price', { min: 0 }),
    'What the machine costs per hour, with all of its devices.',
  ),
  priced: optional(t.filled, 'Where the price is from, and of when.'),
  aliases: defaulted(t.list(t.filled), [], 'Other names that it is found by.'),
  source: optional(t.filled, 'Where the figures are from.'),
} satisfies { readonly [K in keyof MachineSettings]-?: Setting<MachineSettings[K]> };
