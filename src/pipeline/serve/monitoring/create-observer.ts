/** What is measured of requests: metrics, the journal, and what the dashboard shows. All of it is of bounded size. */
import { qualityOf } from '../../../compute/evaluation/answer-quality.js';
import type { ReleaseAnswers } from '../../../compute/packaging/manifest.js';
import { compareReleases } from '../comparison/compare.js';
import { ReleaseTally } from '../comparison/release-tally.js';
import type { Feedback, FeedbackResult, Observer, RequestEnd, RequestStart } from '../observer.js';
import { redacted } from '../redact.js';
import { placeOf } from '../sticky-share.js';
import { evaluatedFigures, servedFigures } from './answer-figures.js';
import { type ComparedPair, type DashboardData, dashboardData, type TrafficState } from './dashboard-data.js';
import { type Metrics, prometheus, type ReleaseLoad } from './prometheus.js';
import { openRequestJournal, readRequestJournal } from './request-journal.js';
import { type FeedbackLine, type RequestLine, type TrafficLine, USER_GROUPS } from './request-line.js';
import { TrafficWindow } from './traffic-window.js';

export interface ObserverOptions {
  /** Name of the model, for metrics and the dashboard. */
  readonly model: string;
  /** Folder of the journal; left out, nothing is written down. */
  readonly folder?: string;
  readonly now: () => number;
  readonly report: (text: string) => void;
  /** What runs and waits at the moment, by release. */
  readonly loads: () => readonly ReleaseLoad[];
  /** What is compared at the moment. */
  readonly pair: () => ComparedPair | undefined;
  /** What answers of a release's evaluation were like; left out, nobody knows. */
  readonly evaluated?: (release: number) => ReleaseAnswers | undefined;
  /** Prompts and answers are written into the journal, after this has taken out of them what nobody is to read. */
  readonly written?: (text: string) => string;
  /** For requests without a user: 0 to 1. */
  readonly random?: () => number;
}

export interface TrafficObserver extends Observer {
  /** What Prometheus reads. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  dashboard(): DashboardData;
}

/** Requests whose feedback is taken: older ones are not known any more. */
const REMEMBERED = 50_000;
/** Releases that are shown: those with requests lately. */
const RELEASES = 8;
/** Milliseconds between two looks at the queue. */
const SAMPLING = 1000;

interface Remembered {
  readonly release: number | null;
  readonly group: number;
  readonly thumbs?: 'up' | 'down';
  readonly reason?: string;
}

/** Totals go on from what the journal has. */
export function createObserver(options: ObserverOptions): TrafficObserver {
  const observer = new TrafficMonitor(options);
  observer.begin();
  return observer;
}

class TrafficMonitor implements TrafficObserver {
  private readonly prometheus: Metrics;
  private readonly journal: ReturnType<typeof openRequestJournal> | undefined;
  private readonly ids = new Map<string, Remembered>();
  private readonly tallies = new Map<number, ReleaseTally>();
  private readonly windows = new Map<number, TrafficWindow>();
  private compared:
    | { readonly pair: ComparedPair; readonly a: ReleaseTally; readonly b: ReleaseTally }
    | undefined;
  private readonly open = new Set<string>();
  private refused = 0;
  private sampling: NodeJS.Timeout | undefined;
  private readonly began: number;

  constructor(private readonly options: ObserverOptions) {
    this.began = options.now();
    this.prometheus = prometheus(options.model);
    const { folder, report } = options;
    if (folder !== undefined) this.journal = openRequestJournal(folder, { report });
  }

  begin(): void {
    const { folder, report } = this.options;
    this.followPair();
    try {
      for (const line of folder === undefined ? [] : readRequestJournal(folder)) this.count(line);
    } catch (error) {
      report(`the journal of requests cannot be read: ${(error as Error).message}`);
    }
    this.sampling = setInterval(() => this.sample(), SAMPLING).unref();
  }

  async metrics(): Promise<{ readonly contentType: string; readonly text: string }> {
    const text = await this.prometheus.text(this.options.loads(), this.journal?.lost() ?? 0, (release) => ({
      served: servedFigures(this.tallies.get(release)),
      evaluated: evaluatedFigures(this.evaluated(release)),
    }));
    return { contentType: this.prometheus.contentType, text };
  }

  private evaluated(release: number): ReleaseAnswers | undefined {
    return this.options.evaluated?.(release);
  }

  started({ id }: RequestStart): void {
    this.open.add(id);
  }

  finished(end: RequestEnd): void {
    this.open.delete(end.id);
    const line = this.lineOf(end);
    this.journal?.append(line);
    this.prometheus.add(line);
    this.count(line);
  }

  feedback({ id, thumbs, reason }: Feedback): FeedbackResult {
    const known = this.ids.get(id);
    if (known === undefined) return 'unknown_id';
    if (known.thumbs === thumbs && known.reason === reason) return 'same';
    const line: FeedbackLine = {
      ...{ version: 1, type: 'feedback', at: this.options.now(), id, thumbs },
      ...{ release: known.release, group: known.group },
      ...(known.thumbs !== undefined && { before: known.thumbs }),
      ...(reason !== undefined && { reason }),
    };
    this.journal?.append(line);
    this.prometheus.add(line);
    this.count(line);
    return known.thumbs === undefined ? 'taken' : 'changed';
  }

  dashboard(): DashboardData {
    this.followPair();
    const { compared } = this;
    const state: TrafficState = {
      ...{ model: this.options.model, began: this.began, now: this.options.now(), open: this.open.size },
      ...{ refused: this.refused, loads: this.options.loads(), tallies: this.tallies, windows: this.windows },
      evaluated: (release) => this.evaluated(release),
      ...(compared !== undefined && {
        comparison: { ...compared.pair, measures: compareReleases(compared.a, compared.b) },
      }),
    };
    return dashboardData(state);
  }

  async close(): Promise<void> {
    clearInterval(this.sampling);
    this.journal?.close();
  }

  private lineOf(end: RequestEnd): RequestLine {
    const { id, endpoint, release, user, status, reason, errorCode, streamed, answers, prompt } = end;
    const { written } = this.options;
    const quality = status < 400 ? qualityOf(answers ?? []) : undefined;
    return {
      ...{ version: 1, type: 'request', at: this.options.now(), id, endpoint },
      ...{ release: release?.number ?? null, role: release?.role ?? null, group: this.groupOf(user) },
      ...{ status, reason, ...(errorCode !== undefined && { errorCode }), streamed },
      ...{ promptTokens: end.promptTokens, cachedTokens: end.cachedTokens, answerTokens: end.answerTokens },
      queueSeconds: rounded(end.queueSeconds),
      ...(end.firstTokenSeconds !== undefined && { firstTokenSeconds: rounded(end.firstTokenSeconds) }),
      seconds: rounded(end.seconds),
      ...(quality && { repetition: rounded(quality.repetition), refusal: quality.isRefusal }),
      ...(written && prompt !== undefined && { prompt: redacted(prompt, written) }),
      ...(written && answers && { answers: answers.map(written) }),
    };
  }

  private groupOf(user: string | undefined): number {
    const place = user === undefined ? (this.options.random ?? Math.random)() : placeOf(user, 0);
    return Math.floor(place * USER_GROUPS);
  }

  /** As it is written, or as it was read when the server started. */
  private count(line: TrafficLine): void {
    this.remember(line);
    if (line.release === null) {
      if (line.type === 'request') this.refused++;
      return;
    }
    tallyOf(this.tallies, line.release, () => new ReleaseTally()).add(line);
    if (line.type === 'request') tallyOf(this.windows, line.release, () => new TrafficWindow()).add(line);
    const { compared } = this;
    if (compared === undefined || line.at < compared.pair.since) return;
    if (line.release === compared.pair.current) compared.a.add(line);
    if (line.release === compared.pair.canary) compared.b.add(line);
  }

  private remember(line: TrafficLine): void {
    const { id, release, group } = line;
    this.ids.delete(id);
    const opinion = line.type === 'feedback' ? { thumbs: line.thumbs, reason: line.reason } : {};
    this.ids.set(id, { release, group, ...opinion });
    const [oldest] = this.ids.keys();
    if (this.ids.size > REMEMBERED && oldest !== undefined) this.ids.delete(oldest);
  }

  /** What is compared begins from nothing when roles change. */
  private followPair(): void {
    const pair = this.options.pair();
    const before = this.compared?.pair;
    if (pair === undefined) this.compared = undefined;
    else if (pair.current !== before?.current || pair.canary !== before.canary || pair.since !== before.since)
      this.compared = { pair, a: new ReleaseTally(), b: new ReleaseTally() };
  }

  private sample(): void {
    this.followPair();
    const now = this.options.now();
    for (const { release, running, waiting } of this.options.loads())
      tallyOf(this.windows, release, () => new TrafficWindow()).sample(now, running, waiting);
  }
}

/** The one of a release, which is then the newest; the one that was used longest ago goes where there are too many. */
function tallyOf<T>(all: Map<number, T>, release: number, make: () => T): T {
  const found = all.get(release) ?? make();
  all.delete(release);
  all.set(release, found);
  const [oldest] = all.keys();
  if (all.size > RELEASES && oldest !== undefined) all.delete(oldest);
  return found;
}

/** To a microsecond. */
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
