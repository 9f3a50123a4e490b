/** The checklist of a pipeline as it is on this machine, and the requirements on it. */
import type { Analysis } from '../../../language/compile.js';
import { error } from '../../../language/diagnostics/make.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { nodeDisk } from '../../../language/host/node-disk.js';
import { namesIn } from '../../../language/ir/expression.js';
import type { Program, Requirement } from '../../../language/ir/program.js';
import { resultOf } from '../../../language/ir/requirement-result.js';
import { licenceTerms } from '../../../language/schemas/licences.js';
import type { SourceMap } from '../../../language/source/text.js';
import { requirementsOf } from '../../../pipeline/planner/budget.js';
import type { Plan } from '../../../pipeline/planner/plan-json.js';
import { newestRun } from '../runs/index.js';
import { type Checklist, checklistOf } from './checklist.js';

interface PlannedPipeline {
  readonly program: Program;
  readonly analysis: Analysis;
  readonly sources: SourceMap;
  readonly plan: Plan;
}

export const answered = async (
  host: Host,
  { program, analysis, sources, plan }: PlannedPipeline,
): Promise<Checklist> =>
  checklistOf({
    ...{ host, disk: nodeDisk(), program, plan, stages: analysis.stages, sources },
    run: newestRun(host, program.file),
    terms: await licenceTerms(),
  });

/** `require checklist.open == 0` */
const asking = ({ condition }: Requirement): boolean =>
  namesIn(condition).some(({ path }) => path[0] === 'checklist');

/** What a run must not begin with: requirements of budgets on the checklist that do not hold. */
export async function checklistGate(host: Host, pipeline: PlannedPipeline): Promise<readonly Diagnostic[]> {
  const requirements = requirementsOf(pipeline.program).filter(asking);
  if (requirements.length === 0) return [];
  const list = await answered(host, pipeline);
  const counts: Readonly<Record<string, number>> = { open: list.open, unknown: list.unknown };
  const lookup = ([root, name = '']: readonly string[]) => (root === 'checklist' ? counts[name] : undefined);
  return requirements.flatMap((requirement) =>
    resultOf(requirement, lookup)?.holds === false ? [gateClosed(requirement, list)] : [],
  );
}

const gateClosed = ({ text, span }: Requirement, list: Checklist): Diagnostic =>
  error('FTP2177', span, `the production checklist has open items: \`require ${text}\` does not hold`, {
    notes: openItems(list),
    help: 'do what each of them says; `ftpc checklist` has the whole list, with what is done',
  });

/** `Harmful output is tested for: write an …`, and what nothing here can know. */
export const openItems = ({ items }: Checklist): readonly string[] =>
  items.flatMap(({ state, text, todo }) =>
    state === 'open' || state === 'unknown' ? [`${state}: ${text}: ${todo}`] : [],
  );
