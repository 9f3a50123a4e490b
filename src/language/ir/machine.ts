/** `machine workstation { … }`: what a plan can be made for without being there. */

/** Formats of numbers that a device multiplies, in the order in which they are shown. */
export const RATE_FORMATS = ['f32', 'tf32', 'bf16', 'f16', 'int8'] as const;
type RateFormat = (typeof RATE_FORMATS)[number];

/** Operations per second, of dense products, by the format of what is multiplied. */
type Rates = Readonly<Partial<Record<RateFormat, number>>>;

/** As declared, by the schema in `src/language/schemas/stages/machine.ts`; bytes, seconds, US dollars. */
export interface MachineSettings {
  /** What its driver calls the device; absent for a computer that computes with its processor. */
  readonly device?: string;
  readonly devices: number;
  /** Of one device; without a device, of the machine. */
  readonly memory: number;
  /** Share of the memory. */
  readonly usable?: number;
  /** Bytes per second, of the memory of one device. */
  readonly bandwidth?: number;
  readonly rates?: Rates;
  /** Bytes per second between devices, of one device, both directions together. */
  readonly interconnect?: number;
  /** Bytes per second between machines, in one direction. */
  readonly network?: number;
  readonly host_memory?: number;
  readonly cores?: number;
  readonly provider?: string;
  /** US dollars per hour, of the machine with all of its devices. */
  readonly price?: number;
  /** Where the price is from, and of when. */
  readonly priced?: string;
  readonly aliases: readonly string[];
  readonly source?: string;
}

export interface Machine extends MachineSettings {
  readonly name: string;
  readonly doc?: string;
}
