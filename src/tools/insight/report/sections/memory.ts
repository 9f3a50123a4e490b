import { bytes } from '../../../../pipeline/planner/quantities.js';
import { MEMORY_PARTS } from '../../../../pipeline/planner/types.js';
import type { ReportInput } from '../input.js';
import { html, type Markup, nothing } from '../markup.js';

/** What the plan predicted beside what was measured, stage by stage. */
export function memory({ plan, events }: ReportInput): Markup {
  if (plan === undefined) return nothing;
  const finished = events.findLast((event) => event.type === 'run.finished');
  const stages = finished?.type === 'run.finished' ? finished.stages : [];
  const rows = plan.stages.flatMap((planned) => {
    const measured = stages.find(({ name }) => name === planned.name)?.peakMemoryBytes ?? 0;
    return planned.peak === null ? [] : [{ planned, peak: planned.peak, measured }];
  });
  if (rows.length === 0) return nothing;
  const parts = MEMORY_PARTS.filter((part) => rows.some(({ peak }) => peak.parts[part] > 0));
  return html`<h2>Memory</h2>
<p class="soft">The most that is resident in a stage’s own process; ${plan.machine.name} has ${bytes(plan.machine.memoryBytes)}.</p>
<div class="scroll"><table><tr><th>stage</th><th class="n">planned</th><th class="n">measured</th><th class="n">plan ÷ measured</th>${parts.map((part) => html`<th class="n">${part}</th>`)}</tr>
${rows.map(
  ({ planned, peak, measured }) =>
    html`<tr><td>${planned.name}</td><td class="n">${bytes(peak.bytes)}</td><td class="n">${measured > 0 ? bytes(measured) : ''}</td><td class="n">${measured > 0 ? (peak.bytes / measured).toFixed(2) : ''}</td>${parts.map((part) => html`<td class="n">${peak.parts[part] > 0 ? bytes(peak.parts[part]) : ''}</td>`)}</tr>
`,
)}</table></div>`;
}
