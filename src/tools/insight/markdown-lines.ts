/** Markdown for a terminal, as it is but for its long lines: code is not touched. */
import { wrapped } from '../../pipeline/planner/render/wrapped.js';

/** Of at least three backticks or tildes; after those that open code, its language. */
const FENCE = /^\s*(?:>\s*)*(`{3,}(?!.*`)|~{3,})(.*)$/;
/** Of a heading, a list, a quotation, or of several of them. */
const LEAD = /^\s*(?:(?:#{1,6}|[-*+]|\d+[.)]|>)\s+)*/;

export function markdownLines(text: string, width: number): readonly string[] {
  let open: string | undefined;
  return text.split('\n').flatMap((line) => {
    const [, fence, after = ''] = FENCE.exec(line) ?? [];
    if (open !== undefined) {
      if (fence?.startsWith(open) && after.trim() === '') open = undefined;
      return [line];
    }
    open = fence;
    // a table is one row per line
    if (fence !== undefined || line.startsWith('|')) return [line];
    const lead = LEAD.exec(line)?.[0] ?? '';
    const next = lead.replace(/[^>\s]/g, ' ');
    return wrapped(line.slice(lead.length), width - lead.length).map(
      (part, index) => (index === 0 ? lead : next) + part,
    );
  });
}
