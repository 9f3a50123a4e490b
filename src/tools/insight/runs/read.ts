/** Reads a run from its journal, as far as it goes. */
import type { Host } from '../../../language/host/host.js';
import { anyObject, isJson, type Json, tryJson, tryJsonFile } from '../../../language/host/json.js';
import type { Reason, RunStatus, StageAction, StageStatus } from '../../../language/ir/events.js';
import { journalPath, keyOfOutputs, layoutOf, lineReader } from '../../../pipeline/store/index.js';
import type { Run, RunStage, StepRanks, TrainStep, Validation } from './run.js';

export interface ReadOptions {
  /** `false`: without the steps of training, which are most of a journal. */
  readonly curves?: boolean;
}

const isProgress = (line: string): boolean => line.includes('"type":"stage.progress"');

/** Throws a `HostError` if the journal cannot be read at all. */
export function readRun(host: Host, id: string, { curves = true }: ReadOptions = {}): Run {
  const text = host.readText(journalPath(layoutOf(host), id));
  const { objects, bad, torn } = readLines(text, curves ? undefined : isProgress);
  const started = objects.find(({ type }) => type === 'run.started');
  const finished = objects.find(({ type }) => type === 'run.finished');
  return {
    id,
    pipeline: asText(started?.['pipeline']) ?? '',
    params: entriesOf(started?.['params'], asText) ?? {},
    started: asNumber(started?.['at']) ?? null,
    engine: asText(started?.['engine']) ?? '',
    runtime: asText(started?.['runtime']) ?? '',
    ...placeOf(started?.['ranks']),
    ftpc: asText(started?.['ftpc']) ?? '',
    status: (asText(finished?.['status']) as RunStatus | undefined) ?? 'unfinished',
    seconds: asNumber(finished?.['seconds']) ?? elapsed(objects),
    stages: inOrderOf(finished?.['stages'], stagesOf(host, objects, curves)),
    errors: objects.flatMap(({ type, severity, code, message }) =>
      type === 'diagnostic' && severity === 'error' ? [`${asText(code)}: ${asText(message)}`] : [],
    ),
    damage: bad.length === 0 ? null : { lines: bad, torn },
  };
}

/** Of the accelerate engine, where its ranks were. */
function placeOf(ranks: unknown): Pick<Run, 'ranks'> {
  if (!isJson(ranks)) return {};
  return { ranks: { devices: asNumber(ranks['devices']) ?? 1, nodes: asNumber(ranks['nodes']) ?? 1 } };
}

/** Of a run without an end: from its first line to its last. */
function elapsed(objects: readonly Json[]): number | null {
  const times = objects.map(({ at }) => asNumber(at)).filter((time) => time !== undefined);
  const [first] = times;
  const last = times.at(-1);
  return first === undefined || last === undefined ? null : (last - first) / 1000;
}

interface StageEvents {
  started?: Json;
  finished?: Json;
  readonly steps: Map<number, TrainStep>;
  readonly validations: Map<number, Validation>;
}

function stagesOf(host: Host, objects: readonly Json[], curves: boolean): readonly RunStage[] {
  const stages = new Map<string, StageEvents>();
  for (const event of objects) {
    const name = asText(event['stage']);
    if (name === undefined || event['type'] === 'diagnostic') continue;
    const stage: StageEvents = stages.get(name) ?? { steps: new Map(), validations: new Map() };
    stages.set(name, stage);
    if (event['type'] === 'stage.started') stage.started = event;
    if (event['type'] === 'stage.finished') stage.finished = event;
    addToCurve(stage, event, 'stage.progress');
  }
  return [...stages].map(([name, stage]) => summaryOf(host, name, stage, curves));
}

/** A journal has stages as they ran; the end of a run lists them as the pipeline has them. */
function inOrderOf(listed: unknown, stages: readonly RunStage[]): readonly RunStage[] {
  const names = (Array.isArray(listed) ? listed : []).map((one: unknown) =>
    isJson(one) ? one['name'] : undefined,
  );
  const place = ({ name }: RunStage): number => (names.includes(name) ? names.indexOf(name) : names.length);
  return stages.toSorted((a, b) => place(a) - place(b));
}

/** `type` is what an optimiser step is called: a journal has it among the progress of all stages. */
function addToCurve(stage: Pick<StageEvents, 'steps' | 'validations'>, event: Json, type: string): void {
  const step = asNumber(event['step']);
  if (step === undefined) return;
  const number = (name: string): number | null => asNumber(event[name]) ?? null;
  if (event['type'] === type)
    stage.steps.set(step, {
      step,
      epoch: number('epoch'),
      loss: number('loss'),
      learningRate: number('learningRate'),
      gradNorm: number('gradNorm'),
      tokensPerSecond: number('tokensPerSecond'),
      ...ranksOf(event),
    });
  if (event['type'] === 'validation')
    stage.validations.set(step, {
      step,
      loss: number('loss'),
      best: event['best'] === true,
      metrics: ofAnswers(event),
    });
}

function ofAnswers({ metrics, repetition }: Json): Readonly<Record<string, number>> {
  const share = isJson(repetition) ? asNumber(repetition['share']) : undefined;
  return {
    ...(isJson(metrics) && entriesOf(metrics, asNumber)),
    ...(share !== undefined && { repetition: share }),
  };
}

function summaryOf(
  host: Host,
  name: string,
  { started, finished, ...curve }: StageEvents,
  curves: boolean,
): RunStage {
  const outputs = entriesOf(finished?.['outputs'], asText) ?? {};
  const key = asText(started?.['key']) ?? keyOfOutputs(outputs) ?? null;
  const whole = !curves || started === undefined || key === null ? undefined : storedCurve(host, key);
  // A stage that was trained to its end keeps all its steps; a journal has those of one process, and what its devices did.
  const { steps, validations } = whole !== undefined && whole.steps.size >= curve.steps.size ? whole : curve;
  return {
    name,
    kind: asText(started?.['kind']) ?? asText(finished?.['kind']) ?? '',
    action: (asText(started?.['action']) as StageAction | undefined) ?? null,
    status: (asText(finished?.['status']) as StageStatus | undefined) ?? 'unfinished',
    interrupted: finished?.['interrupted'] === true,
    seconds: asNumber(finished?.['seconds']) ?? null,
    peakMemoryBytes: asNumber(finished?.['peakMemoryBytes']) ?? null,
    key,
    parts: entriesOf(started?.['parts'], asText) ?? (key === null ? null : storedParts(host, key)),
    reasons: (Array.isArray(started?.['reasons']) ? started['reasons'] : []).filter(isReason),
    metrics: entriesOf(finished?.['metrics'], asNumber) ?? {},
    dropped: entriesOf(finished?.['dropped'], asNumber),
    outputs,
    steps: [...steps.values()].map((step) => withRanks(step, curve.steps)).sort((a, b) => a.step - b.step),
    validations: [...validations.values()].sort((a, b) => a.step - b.step),
  };
}

/** The store has the steps, and the journal who computed them. */
const withRanks = (step: TrainStep, ofJournal: ReadonlyMap<number, TrainStep>): TrainStep => {
  const ranks = ofJournal.get(step.step)?.ranks;
  return ranks === undefined ? step : { ...step, ranks };
};

/** A step of one GPU says its memory, and one of several ranks how many they are. */
function ranksOf(event: Json): Pick<TrainStep, 'ranks'> {
  const memory = listOf(event['memory']).flatMap(asMemory);
  const resident = listOf(event['resident']).flatMap((one) => asNumber(one) ?? []);
  const count = asNumber(event['ranks']);
  if (count === undefined && memory.length + resident.length === 0) return {};
  return { ranks: { count: count ?? 1, sharding: asText(event['sharding']) ?? null, memory, resident } };
}

const isReason = (value: unknown): value is Reason => isJson(value) && typeof value['code'] === 'string';

/** Of a journal that was written by an older version: what the store says. */
const storedParts = (host: Host, key: string): RunStage['parts'] =>
  entriesOf(tryJsonFile(anyObject, host, `${layoutOf(host).store}/${key}/stage.json`)?.['parts'], asText);

function storedCurve(host: Host, key: string): Pick<StageEvents, 'steps' | 'validations'> | undefined {
  const path = `${layoutOf(host).store}/${key}/metrics.jsonl`;
  if (host.stat(path) === undefined) return undefined;
  const curve = { steps: new Map(), validations: new Map() };
  for (const event of readLines(host.readText(path)).objects) addToCurve(curve, event, 'step');
  return curve;
}

interface JsonLines {
  readonly objects: readonly Json[];
  /** Of those that cannot be read, from 1. */
  readonly bad: readonly number[];
  /** The last of them is the last of the file. */
  readonly torn: boolean;
}

/** The last line and, where that was cut off, the one before it say how long a run that was killed lived. */
const ENDING = 2;

/** `skip` says which lines but the last ones are not looked at: a journal has one for every step. */
function readLines(text: string, skip: (line: string) => boolean = () => false): JsonLines {
  const lines = text.split('\n');
  const read = lineReader(text);
  // A sound file ends with a line end.
  const last = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  const objects: Json[] = [];
  const bad: number[] = [];
  for (let index = 0; index < last; index++) {
    const line = lines[index] ?? '';
    if (line.trim() === '' || (index < last - ENDING && skip(line))) continue;
    const object = tryJson(anyObject, read(line) ?? '');
    if (object === undefined) bad.push(index + 1);
    else objects.push(object);
  }
  return { objects, bad, torn: bad.at(-1) === last && lines.at(-1) !== '' };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function asMemory(value: unknown): StepRanks['memory'] {
  const [allocated, reserved] = isJson(value)
    ? [asNumber(value['allocated']), asNumber(value['reserved'])]
    : [];
  return allocated === undefined || reserved === undefined ? [] : [{ allocated, reserved }];
}

const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const asNumber = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** The entries of an object whose values are of one kind; `null` if it is not an object. */
function entriesOf<T>(
  value: unknown,
  as: (value: unknown) => T | undefined,
): Readonly<Record<string, T>> | null {
  if (!isJson(value)) return null;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => {
      const found = as(field);
      return found === undefined ? [] : [[name, found] as const];
    }),
  );
}
