/** The libraries that a DLL of Windows names: those that are loaded along with it, and those that wait until they are called. */
export interface DllImports {
  readonly atOnce: readonly string[];
  readonly whenCalled: readonly string[];
}

/** Offsets in the optional header of a PE32+ file, and the sizes of its tables' entries. Bytes. */
const DIRECTORIES = 112;
const [IMPORTS, DELAYED] = [1, 13];

/** Reads the import tables of a PE32+ file, of 64 bits. */
export function dllImports(file: Buffer): DllImports {
  const header = file.readUInt32LE(0x3c);
  const optional = header + 24;
  const table = optional + file.readUInt16LE(header + 20);
  const sections = Array.from({ length: file.readUInt16LE(header + 6) }, (_, index) => {
    const at = table + 40 * index;
    return {
      address: file.readUInt32LE(at + 12),
      size: Math.max(file.readUInt32LE(at + 8), file.readUInt32LE(at + 16)),
      start: file.readUInt32LE(at + 20),
    };
  });
  const placeOf = (address: number): number => {
    const section = sections.find((one) => address >= one.address && address < one.address + one.size);
    if (section === undefined) throw new Error(`no section has ${address}`);
    return address - section.address + section.start;
  };
  const textAt = (place: number): string => file.toString('latin1', place, file.indexOf(0, place));
  /** `name`: where in an entry the address of the name is. */
  const namesIn = (directory: number, entry: number, name: number): string[] => {
    const address = file.readUInt32LE(optional + DIRECTORIES + 8 * directory);
    const names: string[] = [];
    if (address === 0) return names;
    for (let at = placeOf(address); file.readUInt32LE(at + name) !== 0; at += entry)
      names.push(textAt(placeOf(file.readUInt32LE(at + name))));
    return names;
  };
  return { atOnce: namesIn(IMPORTS, 20, 12), whenCalled: namesIn(DELAYED, 32, 4) };
}
