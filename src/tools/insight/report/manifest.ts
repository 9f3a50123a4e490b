import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import { left, right, table } from '../html/page.js';
import type { ReportInput } from './input.js';

/** Every file that the stages produced, with its digest. */
export function manifest({ manifest: entries }: ReportInput): Markup {
  if (entries.length === 0) return nothing;
  return html`<h2>Outputs</h2>
${entries.map(
  ({ stage, key, files }) => html`<details><summary>${stage} · <code>.ftp/store/${key}</code></summary>
${table(
  `Files of ${stage}`,
  [...left('file'), ...right('size'), ...left('SHA-256')],
  Object.entries(files).map(([name, { bytes: size, sha256 }]) => [
    html`<code>${name}</code>`,
    bytes(size),
    html`<code>${sha256}</code>`,
  ]),
)}</details>
`,
)}`;
}
