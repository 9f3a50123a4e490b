/**
 * An optimiser's state that is in memory as far as a limit allows, and in a file beyond it: each parameter's part of
 * what is in the file is read, changed and written back in its turn, so that memory holds the largest part and not all
 * of them.
 */
import type { Pages } from '../../../language/ir/outputs.js';
import { allocateOnHost } from '../../tensor/host-out-of-memory.js';
import {
  fresh,
  type Held,
  inMemory,
  type Keep,
  type Remembered,
  type Slot,
  type StateTensor,
  slotBytes,
} from './optimizer.js';

/** Float32 arrays begin at multiples of 4 in their buffer. */
const ALIGNMENT = 4;

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Bytes that are in memory while a parameter with these slots is changed. */
export const workspaceBytes = (slots: Readonly<Record<string, Slot>>): number =>
  Object.values(slots).reduce((sum, slot) => sum + aligned(slotBytes(slot)), 0);

/** Parameters whose state is in memory: in their order, each where it still fits into what the share in a file leaves. */
function memoryFirst(total: number, shareInFile: number): (bytes: number) => boolean {
  let left = total * (1 - shareInFile);
  return (bytes) => {
    if (bytes > left) return false;
    left -= bytes;
    return true;
  };
}

const sumOf = (bytes: readonly number[]): number => bytes.reduce((sum, one) => sum + one, 0);

/** Bytes that are in memory in a step, of states with these slots: what is held, and the largest part of the rest. */
export function residentBytes(all: readonly Readonly<Record<string, Slot>>[], shareInFile: number): number {
  const bytes = all.map(workspaceBytes);
  const holds = memoryFirst(sumOf(bytes), shareInFile);
  const held = bytes.map(holds);
  return sumOf(bytes.filter((_, i) => held[i])) + Math.max(0, ...bytes.filter((_, i) => held[i] !== true));
}

/** Where a training keeps the share of its state that is in a file. */
export interface Spill {
  readonly pages: Pages;
  readonly share: number;
}

/** Memory first, then the file. */
export function spilling({ pages, share }: Spill, all: readonly Readonly<Record<string, Slot>>[]): Keep {
  const holds = memoryFirst(sumOf(all.map(workspaceBytes)), share);
  const paged = inPages(pages);
  return (slots) => (holds(workspaceBytes(slots)) ? inMemory(slots) : paged(slots));
}

function inPages(pages: Pages): Keep {
  let end = 0;
  let workspace = new ArrayBuffer(0);
  return (slots): Held => {
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
        own.map(({ name, slot, position }) => [name, remembered(pages, slot, position)]),
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

function remembered(pages: Pages, slot: Slot, position: number): Remembered {
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
