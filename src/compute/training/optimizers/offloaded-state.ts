/**
 * An optimiser's state that is in memory as far as a limit allows, and in a file beyond it: each parameter's part of
 * what is in the file is read, changed and written back in its turn, so that memory holds the largest part and not all
 * of them.
 */
import type { Pages } from '../../../language/ir/outputs.js';
import { allocateOnHost } from '../../tensor/out-of-memory.js';
import {
  fresh,
  inMemory,
  type ParameterState,
  type Slot,
  type StateAccess,
  type StateAllocator,
  type StateTensor,
  slotBytes,
} from './optimizer.js';

/** Float32 arrays begin at multiples of 4 in their buffer. */
const ALIGNMENT = 4;

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Bytes that are in memory while a parameter with these slots is changed. */
export const workspaceBytes = (slots: Readonly<Record<string, Slot>>): number =>
  Object.values(slots).reduce((sum, slot) => sum + aligned(slotBytes(slot)), 0);

/**
 * Parameters whose state is in memory: in their order, each where it still fits into what is left besides the offloaded
 * fraction.
 */
function memoryFirst(total: number, offloadedFraction: number): (bytes: number) => boolean {
  let left = total * (1 - offloadedFraction);
  return (bytes) => {
    if (bytes > left) return false;
    left -= bytes;
    return true;
  };
}

const sumOf = (bytes: readonly number[]): number => bytes.reduce((sum, one) => sum + one, 0);

/** Bytes that are in memory in a step, of states with these slots: those that are not offloaded, and the largest of the rest. */
export function residentBytes(
  all: readonly Readonly<Record<string, Slot>>[],
  offloadedFraction: number,
): number {
  const bytes = all.map(workspaceBytes);
  const fits = bytes.map(memoryFirst(sumOf(bytes), offloadedFraction));
  return sumOf(bytes.filter((_, i) => fits[i])) + Math.max(0, ...bytes.filter((_, i) => fits[i] !== true));
}

/** Where the offloaded fraction of an optimiser's state is. */
export interface StateOffload {
  readonly pages: Pages;
  readonly fraction: number;
}

/** Memory first, then the file. */
export function offloading(
  { pages, fraction }: StateOffload,
  all: readonly Readonly<Record<string, Slot>>[],
): StateAllocator {
  const fits = memoryFirst(sumOf(all.map(workspaceBytes)), fraction);
  const offloaded = inPages(pages);
  return (slots) => (fits(workspaceBytes(slots)) ? inMemory(slots) : offloaded(slots));
}

function inPages(pages: Pages): StateAllocator {
  let end = 0;
  let workspace = new ArrayBuffer(0);
  return (slots): ParameterState => {
    const needed = workspaceBytes(slots);
    // before the first step: later ones use what the largest parameter needs
    if (workspace.byteLength < needed) workspace = allocateOnHost(needed, (size) => new ArrayBuffer(size));
    let place = 0;
    const own = Object.entries(slots).map(([name, slot]) => {
      const located = { name, slot, position: end + place, offset: place };
      pages.write(located.position, bytesOf(fresh(slot)));
      place += aligned(slotBytes(slot));
      return located;
    });
    end += place;
    return {
      tensors: Object.fromEntries(
        own.map(({ name, slot, position }) => [name, stateAccess(pages, slot, position)]),
      ),
      change(change) {
        const views = own.map(({ name, slot, position, offset }) => {
          const view = viewOf(slot, workspace, offset);
          pages.read(position, bytesOf(view));
          return { name, position, view };
        });
        change(Object.fromEntries(views.map(({ name, view }) => [name, view])));
        for (const { position, view } of views) pages.write(position, bytesOf(view));
      },
    };
  };
}

function stateAccess(pages: Pages, slot: Slot, position: number): StateAccess {
  return {
    type: slot.type,
    length: slot.length,
    read() {
      const copy = fresh(slot);
      pages.read(position, bytesOf(copy));
      return copy;
    },
    write(values) {
      pages.write(position, bytesOf(values));
    },
  };
}

const viewOf = ({ type, length }: Slot, memory: ArrayBuffer, offset: number): StateTensor =>
  type === 'u8' ? new Uint8Array(memory, offset, length) : new Float32Array(memory, offset, length);

const bytesOf = ({ buffer, byteOffset, byteLength }: StateTensor): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
