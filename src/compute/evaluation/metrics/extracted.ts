/** What is read out of an answer before it is compared, as lm-evaluation-harness 0.4.13 does for GSM8K. */

/** The first group, or else the whole, of the first place that fits. */
export function firstMatch(text: string, pattern: RegExp): string | undefined {
  const found = pattern.exec(text);
  return (found?.[1] ?? found?.[0])?.trim();
}

/** Its `flexible-extract`: the last run of digits, signs of money and marks between them. */
export const lastNumber = (text: string): string | undefined =>
  text.match(/-?[$0-9.,]{2,}|-?[0-9]+/g)?.at(-1);

/** Without what its `exact_match` ignores: commas, `$`, all before `#### `, and a full stop at the end. */
const comparable = (text: string): string =>
  text
    .replace(/[,$]/g, '')
    .replace(/^.*#### /s, '')
    .replace(/\.$/, '')
    .toLowerCase();

/** Whether what `extract` reads out of the answer is what it reads out of the reference, or else the reference itself. */
export function sameExtracted(
  answer: string,
  reference: string,
  extract: (text: string) => string | undefined,
): boolean {
  const found = extract(answer);
  return found !== undefined && comparable(found) === comparable(extract(reference) ?? reference);
}
