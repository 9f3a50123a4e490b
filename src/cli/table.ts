/** Columns as wide as their widest cell; numbers to the right. Colour codes take no room. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => visible(row[index] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => {
        const room = ' '.repeat(Math.max(0, (widths[index] ?? 0) - visible(cell).length));
        return columns[index]?.right === true ? room + cell : cell + room;
      })
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what starts a colour code
const COLOUR_CODE = /\u001b\[[0-9;]*m/g;
const visible = (text: string): string => text.replace(COLOUR_CODE, '');
