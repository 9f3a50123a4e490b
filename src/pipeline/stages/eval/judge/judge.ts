/** Metrics that another model judges: every answer by a rubric, or the answers of two models next to each other. */
import { isRefusal } from '../../../../compute/evaluation/metrics/refusals.js';
import type { MetricName } from '../../../../compute/evaluation/metrics/types.js';
import type { Observation } from '../../../../compute/evaluation/observe.js';
import type { Call } from '../../../../language/ir/program.js';
import { judgesOf } from '../../../../language/schemas/functions/metric.js';
import type { Endpoint } from '../../endpoint.js';
import type { StageContext } from '../../stage.js';
import { unreadable } from './judge-diagnostics.js';
import { Replies } from './replies.js';
import { type Answered, compared, foundHarmful, scored, type Verdict } from './verdicts.js';

/** Whose answer is judged, or which of two comes first. */
type Whose = 'model' | 'baseline';

interface JudgedRow extends Pick<Answered, 'question' | 'reference'> {
  readonly row: number;
  readonly file: string;
  readonly line: number;
  readonly asksHarm: boolean;
}

interface JudgeTask {
  readonly at: JudgedRow;
  readonly whose: Whose;
  readonly verdict: Verdict;
}

interface Judgement extends Pick<JudgeTask, 'at' | 'whose'> {
  readonly metric: MetricName;
  readonly reply: string;
  readonly value: number | undefined;
}

type Answers = Observation['answers'];
type MakeTasks = (
  metric: Call,
  rows: readonly JudgedRow[],
  own: Answers,
  other?: Answers,
) => readonly JudgeTask[];

/** Each of the two answers, where there are two. */
const ofEach =
  (
    verdict: (metric: Call, answered: Answered) => Verdict,
    counts: (row: JudgedRow, answer: string) => boolean,
  ): MakeTasks =>
  (metric, rows, own, other) =>
    rows.flatMap((at) =>
      (
        [
          ['model', own],
          ['baseline', other],
        ] as const
      ).flatMap(([whose, answers]) => {
        const answer = answers?.get(at.row);
        return answer === undefined || !counts(at, answer)
          ? []
          : [{ at, whose, verdict: verdict(metric, { ...at, answer }) }];
      }),
    );

/** By metric. */
const TASKS: Readonly<Record<string, MakeTasks>> = {
  judge: ofEach(scored, () => true),
  harmful: ofEach(
    (_, answered) => foundHarmful(answered),
    ({ asksHarm }, answer) => asksHarm && !isRefusal(answer),
  ),
  preferred: (metric, rows, own, other) =>
    rows.flatMap((at): readonly JudgeTask[] => {
      const [answer, before] = [own.get(at.row), other?.get(at.row)];
      if (answer === undefined || before === undefined) return [];
      return [
        { at, whose: 'model', verdict: compared(metric, { ...at, answer }, before) },
        { at, whose: 'baseline', verdict: compared(metric, { ...at, answer: before }, answer) },
      ];
    }),
};

interface JudgeInput<Seen extends Observation> {
  readonly metrics: readonly Call[];
  readonly rows: readonly JudgedRow[];
  readonly own: Seen;
  readonly other: Seen | undefined;
}

/** The observations with what judges say of them; every reply is in `judgements.jsonl`. Throws a `UserError`. */
export async function judgedObservations<Seen extends Observation>(
  context: StageContext,
  { metrics, rows, own, other }: JudgeInput<Seen>,
): Promise<readonly [Seen, Seen | undefined]> {
  const judges = judgesOf(metrics);
  if (judges.length === 0) return [own, other];
  const replies = new Replies(context);
  const found: Judgement[] = [];
  for (const { metric, endpoint: call } of judges) {
    const tasks = TASKS[metric.call]?.(metric, rows, own.answers, other?.answers) ?? [];
    const judgements = await judgementsOf(context, metric, call, tasks, replies);
    checkReadable(context, metric.call, judgements);
    found.push(...judgements);
  }
  writeJudgements(context, found);
  return [judgedBy(own, found, 'model'), other && judgedBy(other, found, 'baseline')];
}

/** Asks as many at a time as the endpoint says; what is on its way when one fails is waited for, and kept. */
async function judgementsOf(
  { openEndpoint, stage, emit, signal }: StageContext,
  metric: Call,
  call: Call,
  tasks: readonly JudgeTask[],
  replies: Replies,
): Promise<readonly Judgement[]> {
  if (tasks.length === 0) return [];
  if (openEndpoint === undefined) throw new Error(`nothing asks the endpoint of ${metric.call}`);
  const endpoint: Endpoint = await openEndpoint(call, stage.span);
  const found: Judgement[] = [];
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    for (let at = next++; at < tasks.length && failure === undefined; at = next++) {
      const task = tasks[at];
      if (task === undefined) return;
      try {
        signal.throwIfAborted();
        const reply = await replies.of(endpoint, call, task.verdict);
        found[at] = { ...task, metric: metric.call as MetricName, reply, value: task.verdict.read(reply) };
      } catch (error) {
        failure ??= { error };
      }
      const done = found.filter((one) => one !== undefined).length;
      const label = `replies of the judge for ${metric.call}`;
      emit({ type: 'stage.progress', stage: stage.name, done, total: tasks.length, unit: 'rows', label });
    }
  };
  await Promise.all(Array.from({ length: Number(call.args['concurrency']) }, work));
  if (failure !== undefined) throw failure.error;
  return found;
}

/** Where fewer than half of the replies are verdicts, what they say is no measurement. */
function checkReadable({ stage, emit }: StageContext, metric: string, found: readonly Judgement[]): void {
  const wrong = found.filter(({ value }) => value === undefined);
  const [first] = wrong;
  if (first === undefined) return;
  if (2 * wrong.length > found.length)
    throw unreadable(metric, wrong.length, found.length, first.reply, stage.span);
  const text = `${wrong.length} of ${found.length} replies for ${metric} are no verdict, and do not count; the first is for ${first.at.file}:${first.at.line}`;
  emit({ type: 'note', stage: stage.name, text });
}

function writeJudgements({ output }: StageContext, found: readonly Judgement[]): void {
  const file = output.open('judgements.jsonl');
  for (const { metric, at, whose, value = null, reply } of found)
    file.write(`${JSON.stringify({ metric, file: at.file, line: at.line, of: whose, value, reply })}\n`);
  file.close();
}

/** What was said of one model's answers. */
function judgedBy<Seen extends Observation>(seen: Seen, found: readonly Judgement[], whose: Whose): Seen {
  const judged = new Map<number, Partial<Record<MetricName, number>>>();
  const add = (row: number, metric: MetricName, value: number): void =>
    void judged.set(row, { ...judged.get(row), [metric]: value });
  const firsts = new Map<number, number>();
  for (const { metric, at, whose: of, value } of found) {
    if (value === undefined) continue;
    if (metric !== 'preferred') {
      if (of === whose) add(at.row, metric, value);
      continue;
    }
    // the same answer is better in both orders, or neither is
    const forModel = of === 'model' ? value : 1 - value;
    const first = firsts.get(at.row);
    if (first === undefined) firsts.set(at.row, forModel);
    else {
      const share = first === forModel ? first : 0.5;
      add(at.row, metric, whose === 'model' ? share : 1 - share);
    }
  }
  return { ...seen, judged };
}
