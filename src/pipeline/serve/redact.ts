/** What must not be written down is replaced, wherever prompts and answers are. */

export type Redact = (text: string) => string;

/**
 * Every text in a value of JSON, redacted: before it is written as JSON, whose escapes would be between what a pattern looks
 * for.
 */
export function redacted(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((each) => redacted(each, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, redacted(each, redact)]));
}

export const redaction = (patterns: readonly RegExp[]): Redact => {
  const global = patterns.map(
    ({ source, flags }) => new RegExp(source, flags.includes('g') ? flags : `${flags}g`),
  );
  return (text) => global.reduce((rest, pattern) => rest.replace(pattern, '[redacted]'), text);
};
