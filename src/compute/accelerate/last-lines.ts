/** Lines of what a process wrote last that are kept for a diagnostic. */
const TAIL_LINES = 6;

/** How Python begins a warning; the line of code that it is about follows, and is indented. */
const WARNING = /^\S+\.py:\d+: \w*Warning: /;

/** Without Python's warnings, which say nothing of an end. */
export function lastLines(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trimEnd());
  const isOfWarning = (line: string, at: number): boolean =>
    WARNING.test(line) || (/^ {2}\S/.test(line) && WARNING.test(lines[at - 1] ?? ''));
  return lines.filter((line, at) => line !== '' && !isOfWarning(line, at)).slice(-TAIL_LINES);
}
