/**
 * A training as trackers show it, from what runs have left: its steps from the journals of all runs that worked on it
 * (a step that was done again after a kill is there once), what was evaluated of it, and the digests of what came of
 * it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Host } from '../../language/host/host.js';
import { parseFlat } from '../../language/host/json.js';
import type { StageStatus } from '../../language/ir/events.js';
import { type JournalLine, layoutOf, openStore, readJournal, runIds } from '../../pipeline/store/index.js';

export interface Point {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly step: number;
  /** By the name of the curve: `train/loss`. */
  readonly values: Readonly<Record<string, number>>;
}

interface Note {
  readonly name: string;
  readonly markdown: string;
}

export interface TrackedRun {
  /** Of the training's output: the same training has the same, whichever runs worked on it. */
  readonly key: string;
  /** `legal-adapter-1a2b3c4d` */
  readonly name: string;
  readonly pipeline: string;
  readonly stage: string;
  readonly started: number;
  readonly status: StageStatus | 'unfinished';
  readonly points: readonly Point[];
  /** What was measured once: `eval/quality/perplexity`. */
  readonly figures: readonly { readonly name: string; readonly value: number }[];
  /** Settings and what the planner chose. */
  readonly params: Readonly<Record<string, string>>;
  readonly notes: readonly Note[];
}

type Stage<T extends JournalLine['type']> = Extract<JournalLine, { type: T }>;

/** `undefined` where the run has no such training. `planned`: what its plan said, in Markdown. */
export function trackedRun(
  host: Host,
  { runId, stage, planned }: { readonly runId: string; readonly stage: string; readonly planned: string },
): TrackedRun | undefined {
  const layout = layoutOf(host);
  const journal = readJournal(layout, runId);
  const begun = journal.find(
    (line): line is Stage<'stage.started'> => line.type === 'stage.started' && line.stage === stage,
  );
  if (begun === undefined) return undefined;
  const run = journal.find((line) => line.type === 'run.started');
  const pipeline = run?.type === 'run.started' ? run.pipeline : '';
  const ended = endOf(journal, stage);
  const points = pointsOf(host, begun.key);
  const evaluated = journal.filter(
    (line): line is Stage<'stage.started'> =>
      line.type === 'stage.started' && line.kind === 'eval' && line.parts[`stage:${stage}`] === begun.key,
  );
  const name = (pipeline.split('/').at(-1) ?? '').replace(/\.ftp$/, '');
  const params = paramsOf(begun.parts);
  return {
    key: begun.key,
    name: `${name}-${stage}-${begun.key.slice(0, 8)}`,
    pipeline,
    stage,
    started: points[0]?.at ?? begun.at,
    status: ended?.status ?? 'unfinished',
    points,
    figures: [
      ...figuresOf('final', ended),
      ...evaluated.flatMap(({ stage: one }) => figuresOf(`eval/${one}`, endOf(journal, one))),
    ],
    params,
    notes: [
      { name: 'settings', markdown: tableOf(['setting', 'value'], Object.entries(params)) },
      { name: 'plan', markdown: planned },
      { name: 'data', markdown: dataText(journal) },
      ...samplesOf(
        host,
        journal,
        evaluated.map(({ stage: one }) => one),
      ),
      { name: 'digests', markdown: digestsOf(host, [begun, ...evaluated]) },
    ].filter(({ markdown }) => markdown !== ''),
  };
}

const endOf = (journal: readonly JournalLine[], stage: string): Stage<'stage.finished'> | undefined =>
  journal.findLast(
    (line): line is Stage<'stage.finished'> => line.type === 'stage.finished' && line.stage === stage,
  );

const figuresOf = (prefix: string, ended: Stage<'stage.finished'> | undefined): TrackedRun['figures'] =>
  Object.entries<unknown>(ended?.metrics ?? {}).flatMap(([name, value]) =>
    typeof value === 'number' ? [{ name: `${prefix}/${name}`, value }] : [],
  );

/** Of every run that worked on the training, oldest first: a step counts as it was done first. */
function pointsOf(host: Host, key: string): readonly Point[] {
  const layout = layoutOf(host);
  const steps = new Map<string, Point>();
  for (const id of runIds(host).toReversed()) {
    let stage: string | undefined;
    for (const line of readJournal(layout, id, ['stage.started', 'stage.progress', 'validation'])) {
      if (line.type === 'stage.started' && line.key === key) stage = line.stage;
      if (!('stage' in line) || line.stage !== stage) continue;
      const point = pointOf(line);
      if (point !== undefined) steps.set(...once(steps, `${line.type} ${point.step}`, point));
    }
  }
  return [...steps.values()].sort((a, b) => a.step - b.step || a.at - b.at);
}

const once = (known: ReadonlyMap<string, Point>, name: string, point: Point): [string, Point] => [
  name,
  known.get(name) ?? point,
];

function pointOf(line: JournalLine): Point | undefined {
  if (line.type === 'validation')
    return { at: line.at, step: line.step, values: { 'valid/loss': line.loss, ...measuredBy(line) } };
  if (line.type !== 'stage.progress' || line.step === undefined) return undefined;
  const { loss, learningRate, gradNorm, tokensPerSecond, epoch } = line;
  const values = {
    'train/loss': loss,
    'train/learning_rate': learningRate,
    'train/grad_norm': gradNorm,
    'train/tokens_per_second': tokensPerSecond,
    'train/epoch': epoch,
  };
  const known = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return known.length === 0 ? undefined : { at: line.at, step: line.step, values: Object.fromEntries(known) };
}

/** What a validation measured of answers: `valid/rouge_l`. */
const measuredBy = ({ metrics = {} }: Stage<'validation'>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`valid/${name}`, value]));

/** Settings as the key of the training has them: `optimizer.rate`. */
const paramsOf = (parts: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(parts).flatMap(([name, value]) =>
      name.startsWith('settings.') || name.startsWith('chosen.')
        ? [[name.replace(/^settings\./, ''), value.replace(/^"(.*)"$/, '$1')]]
        : [],
    ),
  );

const cell = (value: string): string => value.replace(/[|\n]/g, ' ');

const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0
    ? ''
    : [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

/** What data and format stages kept, and what they dropped. */
const dataText = (journal: readonly JournalLine[]): string =>
  tableOf(
    ['stage', 'figure', 'value'],
    journal.flatMap((line) =>
      line.type === 'stage.finished' && (line.kind === 'data' || line.kind === 'format')
        ? [
            ...Object.entries<unknown>(line.metrics),
            ...Object.entries<unknown>(line.dropped ?? {}).map(([reason, rows]): [string, unknown] => [
              `dropped: ${reason}`,
              rows,
            ]),
          ].map(([name, value]) => [line.stage, name, String(value)])
        : [],
    ),
  );

/** Answers that are shown of an evaluation. */
const SAMPLES = 10;

interface Answer {
  readonly prompt?: unknown;
  readonly reference?: unknown;
  readonly answer?: unknown;
}

function samplesOf(host: Host, journal: readonly JournalLine[], evals: readonly string[]): readonly Note[] {
  return evals.flatMap((stage) => {
    const file = endOf(journal, stage)?.outputs['report'];
    const path = file === undefined ? undefined : resolve(host.cwd, file);
    if (path === undefined || !existsSync(path)) return [];
    const answers = answersIn(readFileSync(path, 'utf8')).slice(0, SAMPLES);
    const rows = answers.map(({ prompt, reference, answer }) =>
      [prompt, reference, answer].map((text) => String(text ?? '')),
    );
    const markdown = tableOf(['asked', 'reference', 'answer'], rows);
    return markdown === '' ? [] : [{ name: `samples/${stage}`, markdown }];
  });
}

function answersIn(json: string): readonly Answer[] {
  try {
    const report = parseFlat(json);
    const samples =
      report !== null && typeof report === 'object' && 'samples' in report ? report.samples : [];
    return Array.isArray(samples) ? (samples as readonly Answer[]) : [];
  } catch {
    return [];
  }
}

/** SHA-256 of the files of each output that is in the store. */
function digestsOf(host: Host, stages: readonly { readonly stage: string; readonly key: string }[]): string {
  const store = openStore(host.cwd, host.store);
  return tableOf(
    ['file', 'SHA-256'],
    stages.flatMap(({ stage, key }) =>
      Object.entries(store.find(key)?.record.files ?? {}).map(([file, { sha256 }]) => [
        join(stage, file),
        sha256,
      ]),
    ),
  );
}
