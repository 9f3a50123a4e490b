/** RFC 4180: commas, quotes doubled, a line end after every record. */
export const csv = (rows: readonly (readonly unknown[])[]): string =>
  rows.map((row) => row.map(field).join(',')).join('\n');

function field(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
