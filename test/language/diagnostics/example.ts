/** The example of a page of `docs/errors`: files, and a console in which commands meet the diagnostic. */

export interface Step {
  /** What stands behind `$ `. */
  readonly line: string;
  /** What the page shows of its output. */
  readonly shown: readonly string[];
}

export interface Example {
  readonly files: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/** The text of a section, without its heading; `undefined` where the page has none of this name. */
export const sectionOf = (page: string, heading: string): string | undefined =>
  page
    .split(/^## /m)
    .find((section) => section.startsWith(`${heading}\n`))
    ?.slice(heading.length + 1);

const BLOCK = /^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm;

/** `undefined` for a page without a section `Example` or without a console in it. */
export function exampleOf(page: string): Example | undefined {
  const section = sectionOf(page, 'Example');
  if (section === undefined) return undefined;
  const files: Record<string, string> = {};
  const steps: Step[] = [];
  for (const [, language = '', info = '', body = ''] of section.matchAll(BLOCK)) {
    if (language === 'console') steps.push(...stepsOf(body));
    else files[info.trim() || `pipeline.${language}`] = body;
  }
  return steps.length === 0 ? undefined : { files, steps };
}

const stepsOf = (console: string): readonly Step[] =>
  console
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [line = '', ...shown] = text.trimEnd().split('\n');
      return { line, shown };
    });

/** The page with what each step printed in place of what it shows; `undefined` leaves a step as it is. */
export function rewritten(page: string, printed: readonly (readonly string[] | undefined)[]): string {
  const { steps } = exampleOf(page) ?? { steps: [] };
  let done = page.indexOf('```console');
  let text = page;
  for (const [index, { line, shown }] of steps.entries()) {
    const before = ['', `$ ${line}`, ...shown].join('\n');
    const after = ['', `$ ${line}`, ...(printed[index] ?? shown)].join('\n');
    const at = text.indexOf(before, done);
    text = `${text.slice(0, at)}${after}${text.slice(at + before.length)}`;
    done = at + after.length;
  }
  return text;
}

/** Lines of a diagnostic behind its first: a place, an excerpt, notes. */
const BELONGS = /^( +(-->|[|=:]|\.\.\.)|\d+ +\|| {6,}\S)/;
const BEGINS = /^( *)(?:error|warning|info)\[FTP\d{4}\]: /;

/** The diagnostics in what a command printed, their lines each; those of a report stand without its indentation. */
export function diagnosticsIn(printed: readonly string[]): readonly (readonly string[])[] {
  const found: string[][] = [];
  let current: { readonly indent: string; readonly lines: string[] } | undefined;
  for (const line of printed) {
    const [, indent] = BEGINS.exec(line) ?? [];
    const rest = line.slice(current?.indent.length ?? 0);
    if (indent !== undefined) {
      current = { indent, lines: [line.slice(indent.length)] };
      found.push(current.lines);
    } else if (current !== undefined && BELONGS.test(rest)) current.lines.push(rest);
    else current = undefined;
  }
  return found;
}

/** What is another each time: digests, decimals, and whole numbers with a unit of memory or time. */
const FIGURE =
  /\b[0-9a-f]{12,64}\b|\b\d+(?:\.\d+(?:e[+-]?\d+)?(?: ?(?:[KMG]i)?B| m?s)?|(?: (?:[KMG]i)?B| m?s))\b/g;

/** A line of a page stands for all that are like it but for figures, and for `…`: run ids, process ids. */
function isLike(shown: string, line: string): boolean {
  const parts = shown
    .replaceAll(FIGURE, '0.0')
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`).test(line.replaceAll(FIGURE, '0.0'));
}

export const areLike = (shown: readonly string[], lines: readonly string[]): boolean =>
  shown.length === lines.length && shown.every((line, index) => isLike(line, lines[index] ?? ''));
