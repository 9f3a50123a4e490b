/** Markdown for a terminal, as it is but for its long lines: code is not touched. */
import { wrapped } from '../../pipeline/planner/render/wrapped.js';

const FENCE = /^\s*```/;
/** Of a list, a quotation, or of nothing: what the lines after the first begin with is as wide. */
const LEAD = /^\s*(?:[-*] |\d+\. |> )?/;

export function markdownLines(text: string, width: number): readonly string[] {
  let isCode = false;
  return text.split('\n').flatMap((line) => {
    if (FENCE.test(line)) isCode = !isCode;
    // a table is one row per line
    if (isCode || FENCE.test(line) || line.startsWith('|')) return [line];
    const lead = LEAD.exec(line)?.[0] ?? '';
    return wrapped(line.slice(lead.length), width - lead.length).map(
      (part, index) => (index === 0 ? lead : ' '.repeat(lead.length)) + part,
    );
  });
}
