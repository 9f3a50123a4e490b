/** What must not be written down is replaced, wherever prompts and answers are. */

export type Redact = (text: string) => string;

export const redaction = (patterns: readonly RegExp[]): Redact => {
  const global = patterns.map(
    ({ source, flags }) => new RegExp(source, flags.includes('g') ? flags : `${flags}g`),
  );
  return (text) => global.reduce((rest, pattern) => rest.replace(pattern, '[redacted]'), text);
};
