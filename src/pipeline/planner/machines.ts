/** Machines that a plan can be made for without being on them: those of the library, and those of the pipeline. */

import { machineCatalogue } from '../../language/check/machine-catalogue.js';
import { nearest } from '../../language/diagnostics/did-you-mean.js';
import type { Host } from '../../language/host/host.js';
import type { Machine } from '../../language/ir/machine.js';
import type { Program } from '../../language/ir/program.js';

export interface PlanMachine {
  readonly name: string;
  readonly memoryBytes: number;
  readonly devices: readonly { readonly name: string; readonly memoryBytes: number }[];
  /** Whether it is the machine that plans: only then can its speed be measured. */
  readonly here: boolean;
  /** As it is declared; absent of a machine that no declaration is known of. */
  readonly declared?: Machine;
}

/** Those of the pipeline first: of two that a name may mean, its own. */
export const knownMachines = (host: Host, program?: Pick<Program, 'machines'>): readonly Machine[] => [
  ...(program?.machines ?? []),
  ...machineCatalogue(host),
];

export const machineNames = (host: Host, program?: Pick<Program, 'machines'>): readonly string[] =>
  knownMachines(host, program).map(({ name }) => name);

export interface MachineMatch {
  readonly machine: Machine;
  /** What a plan calls it: as it was asked for, where that is one of its names. */
  readonly name: string;
  /** As many devices as the name asks for: 8 of `8x h100` and `h100 x8`. */
  readonly devices?: number;
  /** Others that the name may mean as well. */
  readonly others: readonly Machine[];
}

/**
 * The machine that a name means in any spelling: `rtx3090`, `RTX 3090 24GB`, `A100-80GB`, `a100 80g`, `8x h100`, `h100 x8`. What
 * is called so, or is also known so, is taken; else the first of those whose name has all of the words. Cards precede machines
 * that are rented out.
 */
export function findMachine(name: string, machines: readonly Machine[]): MachineMatch | undefined {
  const found = findSpelt(name, machines);
  const [, rest, count] = /^\s*(\S.*?)\s*[x×]\s*([1-9]\d{0,2})\s*$/i.exec(name) ?? [];
  return found === undefined && rest !== undefined ? findSpelt(`${count}x ${rest}`, machines) : found;
}

function findSpelt(name: string, machines: readonly Machine[]): MachineMatch | undefined {
  const [, count, rest = name] = /^\s*([1-9]\d{0,2})\s*[x×]\s*(\S.*)$/i.exec(name) ?? [];
  const exact = machines.find(({ name: own }) => own === name);
  if (exact !== undefined) return { machine: exact, name, others: [] };
  const wanted = joined(wordsOf(rest));
  const asked = { devices: count === undefined ? undefined : Number(count) };
  const called = machines.find((machine) => namesOf(machine).some((own) => joined(wordsOf(own)) === wanted));
  if (called !== undefined)
    return { machine: called, name: count === undefined ? name : called.name, ...asked, others: [] };
  const words = wordsOf(rest);
  const meant = words.length === 0 ? [] : machines.filter((machine) => hasWords(machine, words));
  const usual = firstOf(meant, ({ name: own }) =>
    wordsOf(own).every((word) => words.includes(word) || !VARIANTS.has(word)),
  );
  const [machine, ...others] = firstOf(usual, ({ provider }) => provider === undefined);
  return machine && { machine, name: machine.name, ...asked, others };
}

/** Those that have a property, or all where none has it. */
function firstOf(machines: readonly Machine[], has: (machine: Machine) => boolean): readonly Machine[] {
  const found = machines.filter(has);
  return found.length > 0 ? found : machines;
}

/** Words of other models: who means one of them writes it. */
const VARIANTS = new Set(['ti', 'super', 'ada', 'pro', 'max', 'ultra']);

/** What a name that no machine has may be meant for. */
export function nearestMachine(name: string, machines: readonly Machine[]): string | undefined {
  const parts = new Map<string, string>();
  for (const machine of machines)
    for (const run of namesOf(machine).flatMap((own) => runsOf(wordsOf(own))))
      if (isModel(run) && !parts.has(run)) parts.set(run, machine.name);
  const part = nearest(joined(wordsOf(name)), [...parts.keys()]);
  if (part !== undefined) return parts.get(part);
  const names = new Map(machines.flatMap((machine) => namesOf(machine).map((own) => [own, machine.name])));
  const meant = nearest(name.trim().replace(/\s+/g, '_'), [...names.keys()]);
  return meant === undefined ? undefined : names.get(meant);
}

/** `h100`, `rtx4090`: not `2080`, nor `x8`. */
const isModel = (run: string): boolean => run.length >= 4 && /[a-z]/.test(run) && /\d/.test(run);

/** Machines whose names, provider or device have all words of a pattern; `*` stands for any letters. */
export function machinesLike(pattern: string, machines: readonly Machine[]): readonly Machine[] {
  const words = pattern
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const found = machines.filter((machine) => {
    const texts = [...namesOf(machine), machine.provider ?? ''].map(plain);
    return words.every((word) => {
      const parts = word.split('*').map(plain);
      return texts.some((text) => inOrder(text, parts));
    });
  });
  return [...new Map(found.map((machine) => [machine.name, machine])).values()];
}

const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');

function inOrder(text: string, parts: readonly string[]): boolean {
  let at = 0;
  for (const part of parts) {
    const next = text.indexOf(part, at);
    if (next < 0) return false;
    at = next + part.length;
  }
  return true;
}

const namesOf = ({ name, aliases, device }: Machine): readonly string[] => [
  name,
  ...aliases,
  ...(device === undefined ? [] : [device]),
];

/** What names of devices begin with, and what says nothing of which one it is. */
const IDLE = new Set([
  'nvidia',
  'geforce',
  'tesla',
  'quadro',
  'amd',
  'instinct',
  'apple',
  'generation',
  'gpu',
]);

/** `A100-SXM4-80GB` → `a100`, `sxm`, `80`: letters and digits in small letters, sizes without their unit. */
const wordsOf = (name: string): readonly string[] =>
  name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/^(\d+)(?:g|gb|gib)$/, '$1').replace(/^sxm\d$/, 'sxm'))
    .filter(
      (word, at, all) =>
        word !== '' && !IDLE.has(word) && !(isSizeUnit(word) && at > 0 && /^\d+$/.test(all[at - 1] ?? '')),
    );

const isSizeUnit = (word: string): boolean => /^(?:g|gb|gib)$/.test(word);

const joined = (words: readonly string[]): string => words.join('');

/**
 * Whether each word is one of its names', whole or run together with its neighbours: `rtx3090` of `rtx`, `3090`; or the size that
 * its memory is sold as.
 */
function hasWords(machine: Machine, words: readonly string[]): boolean {
  const own = new Set(namesOf(machine).flatMap((name) => runsOf(wordsOf(name))));
  const isNamed = words.some((word) => own.has(word));
  return words.every((word) => own.has(word) || (isNamed && isSoldAs(word, machine)));
}

/** Of the GiB that a card is sold as, a driver shows 91 to 101 %. */
function isSoldAs(word: string, { memory }: Machine): boolean {
  const share = /^\d{1,3}$/.test(word) ? memory / (Number(word) * 2 ** 30) : 0;
  return share >= 0.91 && share <= 1.01;
}

const runsOf = (words: readonly string[]): readonly string[] =>
  words.flatMap((_, from) => words.slice(from).map((_, at) => joined(words.slice(from, from + at + 1))));

/** What is planned for: `devices` of them, with another size of memory where it is given. */
export function planMachine(
  { machine, name, devices: asked }: Pick<MachineMatch, 'machine' | 'name' | 'devices'>,
  memoryBytes?: number,
  devices = asked ?? machine.devices,
): PlanMachine {
  const { device } = machine;
  const bytes = memoryBytes ?? machine.memory;
  return {
    name,
    memoryBytes: bytes,
    devices:
      device === undefined
        ? []
        : Array.from({ length: devices }, () => ({ name: device, memoryBytes: bytes })),
    here: false,
    declared: machine,
  };
}

/** `memoryBytes`: to plan with instead of the machine's own. */
export function thisMachine(host: Host, memoryBytes?: number): PlanMachine {
  const machine = host.machine();
  return { name: machine.name, memoryBytes: memoryBytes ?? machine.memoryBytes, devices: [], here: true };
}

/** Whether a machine computes with its processor, and says how many cores that has. */
export const hasCores = (machine: Machine | undefined): machine is Machine & { readonly cores: number } =>
  machine !== undefined && machine.device === undefined && machine.cores !== undefined;

/** Shares of the memory that a plan may use, where a machine does not say it. */
const USABLE = { device: 0.95, computer: 0.9 } as const;

/**
 * What may be planned with. A computer keeps a tenth for the system and for other programs; a device is this
 * process's own, and loses some to fragmentation; a pipeline may take less of it.
 */
export function availableBytes(
  { memoryBytes, devices, declared }: PlanMachine,
  ofDevice = memoryBytes,
): number {
  const usable = declared?.usable;
  return devices.length > 0
    ? Math.min(Math.floor(memoryBytes * (usable ?? USABLE.device)), ofDevice)
    : Math.floor(memoryBytes * (usable ?? USABLE.computer));
}
