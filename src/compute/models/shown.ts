const LONGEST = 100;

const plain = (_: string, part: unknown): unknown => (typeof part === 'bigint' ? Number(part) : part);

/** A value of a stranger's file as a message shows it: in JSON, and not at length. */
export function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value, plain) ?? String(value));
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
