import { bytes as bytesText } from '../../../../pipeline/planner/quantities.js';
import type { ReportInput } from '../input.js';
import { html, type Markup, nothing } from '../markup.js';

/** Every file that the stages produced, with its digest. */
export function manifest({ manifest: entries }: ReportInput): Markup {
  if (entries.length === 0) return nothing;
  return html`<h2>Outputs</h2>
${entries.map(
  ({ stage, key, files }) => html`<details><summary>${stage} · <code>.ftp/store/${key}</code></summary>
<div class="scroll"><table><tr><th>file</th><th class="n">size</th><th>SHA-256</th></tr>
${Object.entries(files).map(
  ([name, { bytes, sha256 }]) =>
    html`<tr><td><code>${name}</code></td><td class="n">${bytesText(bytes)}</td><td><code>${sha256}</code></td></tr>
`,
)}</table></div></details>
`,
)}`;
}
