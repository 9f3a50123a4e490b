/**
 * An optimiser's state in a file: each parameter's part is read, changed and written back in its turn, so that memory
 * holds the largest part and not all of them. The system's cache keeps the file in memory while there is room.
 */
import type { Pages } from '../../ir/outputs.js';
import {
  fresh,
  type Held,
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

export function inPages(pages: Pages): Keep {
  let end = 0;
  let workspace = new ArrayBuffer(0);
  return (slots): Held => {
    const needed = workspaceBytes(slots);
    // before the first step: later ones use what the largest parameter needs
    if (workspace.byteLength < needed) workspace = new ArrayBuffer(needed);
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
