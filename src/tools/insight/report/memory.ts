import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { MEMORY_PARTS, type Plan } from '../../../pipeline/planner/plan-json.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import { left, right, table, together } from '../html/page.js';
import type { ReportInput } from './input.js';

/** What the plan predicted next to what was measured, stage by stage. */
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
<p class="soft">The most that is resident in a stage’s own process${ofRanks(plan)}; ${plan.machine.name} has ${together(bytes(plan.machine.memoryBytes))}.</p>
${table(
  'Memory',
  [...left('stage'), ...right('planned', 'measured', 'plan ÷ measured', ...parts)],
  rows.map(({ planned, peak, measured }) => [
    planned.name,
    bytes(peak.bytes),
    measured > 0 ? bytes(measured) : '',
    measured > 0 ? (peak.bytes / measured).toFixed(2) : '',
    ...parts.map((part) => (peak.parts[part] > 0 ? bytes(peak.parts[part]) : '')),
  ]),
)}`;
}

/** `, or in one of its 8 ranks` */
const ofRanks = ({ stages }: Plan): string => {
  const ranks = Math.max(1, ...stages.map(({ peak }) => peak?.ranks ?? 1));
  return ranks === 1 ? '' : `, or in one of its ${ranks} ranks`;
};
