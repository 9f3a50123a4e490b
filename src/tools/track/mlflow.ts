/**
 * MLflow, by its REST API (https://mlflow.org/docs/latest/rest-api.html). A training is a run with the tag `ftpc.key`: it is looked
 * for first, and only points that the server does not have are sent.
 */
import * as v from 'valibot';
import { oneLine } from '../../pipeline/hub/request.js';
import type { Point, TrackedRun } from './tracked-run.js';
import type { Tracker, TrackerArgs, TrackerHost } from './tracker.js';

/** The most that `runs/log-batch` takes at once. */
const MOST_METRICS = 1000;
const MOST_PARAMS = 100;
/** Characters of a parameter's value, in all versions. */
const LONGEST_PARAM = 500;

const EXPERIMENT = v.object({ experiment: v.object({ experiment_id: v.string() }) });
const CREATED = v.object({ experiment_id: v.string() });
const INFO = v.object({ info: v.object({ run_id: v.string(), artifact_uri: v.optional(v.string()) }) });
const FOUND = v.object({ runs: v.optional(v.array(INFO)) });
const RUN = v.object({ run: INFO });
const HISTORY = v.object({
  metrics: v.optional(
    v.array(v.object({ step: v.pipe(v.union([v.number(), v.string()]), v.transform(Number)) })),
  ),
  next_page_token: v.optional(v.string()),
});

type Send = <const S extends v.GenericSchema>(
  method: 'GET' | 'POST',
  path: string,
  body: Readonly<Record<string, unknown>>,
  schema: S,
) => Promise<v.InferOutput<S>>;

/** The server answered, and refused. */
class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

function connect({ uri, token }: TrackerArgs, { secret, signal }: TrackerHost) {
  const base = String(uri).replace(/\/+$/, '');
  const bearer = secret(token);
  // whoever refuses a header quotes it
  if (bearer !== undefined && /[^\x21-\x7e]/.test(bearer))
    throw new Error('the token has characters that no header takes');
  const said = (text: string, most: number): string =>
    oneLine(bearer ? text.replaceAll(bearer, '***') : text).slice(0, most);
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer}`;
  const request = async (method: string, path: string, body?: string): Promise<string> => {
    const sent = body === undefined ? {} : { body };
    const response = await fetch(`${base}${path}`, { method, signal, headers, ...sent });
    const text = await response.text();
    if (!response.ok)
      throw new Refused(`it answered ${response.status}: ${said(text, 200)}`, response.status);
    return text;
  };
  const send: Send = async (method, path, body, schema) => {
    const query = new URLSearchParams(
      Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value)])),
    );
    const at = `/api/2.0/mlflow/${path}`;
    const text = await (method === 'GET'
      ? request(method, `${at}?${query}`)
      : request(method, at, JSON.stringify(body)));
    const found = v.safeParse(schema, parsed(text));
    if (!found.success) throw new Error(`it answered what is no answer of MLflow: ${said(text, 100)}`);
    return found.output;
  };
  return { base, send, request };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    return undefined;
  }
}

async function experimentOf(send: Send, name: string): Promise<string> {
  try {
    const { experiment } = await send(
      'GET',
      'experiments/get-by-name',
      { experiment_name: name },
      EXPERIMENT,
    );
    return experiment.experiment_id;
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error;
    return (await send('POST', 'experiments/create', { name }, CREATED)).experiment_id;
  }
}

async function runOf(
  send: Send,
  experiment: string,
  run: TrackedRun,
): Promise<v.InferOutput<typeof INFO>['info']> {
  const { runs = [] } = await send(
    'POST',
    'runs/search',
    { experiment_ids: [experiment], filter: `tags.\`ftpc.key\` = '${run.key}'`, max_results: 1 },
    FOUND,
  );
  if (runs[0] !== undefined) return runs[0].info;
  const tags = {
    'mlflow.runName': run.name,
    'ftpc.key': run.key,
    'ftpc.pipeline': run.pipeline,
    'ftpc.stage': run.stage,
  };
  const created = await send(
    'POST',
    'runs/create',
    {
      experiment_id: experiment,
      run_name: run.name,
      start_time: run.started,
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    },
    RUN,
  );
  return created.run.info;
}

/** Steps of a curve that the server has. */
async function stepsOf(send: Send, run_id: string, metric_key: string): Promise<ReadonlySet<number>> {
  const steps = new Set<number>();
  let page_token: string | undefined;
  do {
    const asked = {
      run_id,
      metric_key,
      max_results: 10_000,
      ...(page_token === undefined ? {} : { page_token }),
    };
    const found = await send('GET', 'metrics/get-history', asked, HISTORY);
    for (const { step } of found.metrics ?? []) steps.add(step);
    page_token = found.next_page_token === '' ? undefined : found.next_page_token;
  } while (page_token !== undefined);
  return steps;
}

interface Metric {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

/** What the server does not have yet. */
async function missing(
  send: Send,
  id: string,
  { points, figures, started }: TrackedRun,
): Promise<readonly Metric[]> {
  const last: Pick<Point, 'at' | 'step'> = points.at(-1) ?? { at: started, step: 0 };
  const all = [
    ...points.flatMap(({ at, step, values }) =>
      Object.entries(values).map(([key, value]) => ({ key, value, timestamp: Math.round(at), step })),
    ),
    ...figures.map(({ name: key, value }) => ({
      key,
      value,
      timestamp: Math.round(last.at),
      step: last.step,
    })),
  ];
  const keys = [...new Set(all.map(({ key }) => key))];
  const known = new Map(
    await Promise.all(keys.map(async (key) => [key, await stepsOf(send, id, key)] as const)),
  );
  return all.filter(({ key, step }) => known.get(key)?.has(step) !== true);
}

const ENDS: Readonly<Partial<Record<TrackedRun['status'], string>>> = {
  done: 'FINISHED',
  cached: 'FINISHED',
  failed: 'FAILED',
  blocked: 'FAILED',
  ended: 'KILLED',
  unfinished: 'RUNNING',
};

/** Files of the run, where the server takes them itself. */
async function sendNotes(
  { request }: Pick<ReturnType<typeof connect>, 'request'>,
  artifacts: string | undefined,
  notes: TrackedRun['notes'],
): Promise<void> {
  const folder = /^mlflow-artifacts:\/*(.*)$/.exec(artifacts ?? '')?.[1];
  if (folder === undefined) return;
  for (const { name, markdown } of notes)
    await request('PUT', `/api/2.0/mlflow-artifacts/artifacts/${folder}/${name}.md`, `${markdown}\n`);
}

export const mlflow: Tracker = {
  place: ({ uri }) => String(uri),
  async deliver(run, args, host) {
    const connection = connect(args, host);
    const { send, base } = connection;
    const experiment = await experimentOf(send, String(args['experiment']));
    const { run_id, artifact_uri } = await runOf(send, experiment, run);
    const params = Object.entries(run.params).map(([key, value]) => ({
      key,
      value: value.slice(0, LONGEST_PARAM),
    }));
    for (let from = 0; from < params.length; from += MOST_PARAMS)
      await send(
        'POST',
        'runs/log-batch',
        { run_id, params: params.slice(from, from + MOST_PARAMS) },
        v.looseObject({}),
      );
    const metrics = await missing(send, run_id, run);
    for (let from = 0; from < metrics.length; from += MOST_METRICS)
      await send(
        'POST',
        'runs/log-batch',
        { run_id, metrics: metrics.slice(from, from + MOST_METRICS) },
        v.looseObject({}),
      );
    await sendNotes(connection, artifact_uri, run.notes);
    const status = ENDS[run.status];
    const end_time = Math.round(run.points.at(-1)?.at ?? run.started);
    const ended = run.status === 'unfinished' ? {} : { end_time };
    if (status !== undefined)
      await send('POST', 'runs/update', { run_id, status, ...ended }, v.looseObject({}));
    return { where: `${base}/#/experiments/${experiment}/runs/${run_id}` };
  },
};
