/** What is kept of the requests of one release, however many there are. */
import { QuantileSketch } from '../monitoring/quantile-sketch.js';
import { type RequestLine, type TrafficLine, USER_GROUPS } from '../monitoring/request-line.js';
import type { GroupSum } from './estimates.js';

/** Each with what a request adds to its sum; `undefined` where it has no such measure. */
const MEASURES = {
  errors: (line: RequestLine) => (isError(line) ? 1 : 0),
  seconds: (line: RequestLine) => (isAnswered(line) ? logOf(line.seconds) : undefined),
  firstToken: (line: RequestLine) =>
    isAnswered(line) && line.firstTokenSeconds !== undefined ? logOf(line.firstTokenSeconds) : undefined,
  answerTokens: (line: RequestLine) => (isAnswered(line) ? line.answerTokens : undefined),
  repetition: (line: RequestLine) => (isAnswered(line) ? line.repetition : undefined),
  refusals: (line: RequestLine) =>
    isAnswered(line) && line.refusal !== undefined ? Number(line.refusal) : undefined,
} as const;

export type Measure = keyof typeof MEASURES | 'thumbsUp';

const isAnswered = ({ status }: RequestLine): boolean => status < 400;
/** What the server is to blame for; a client that went, or asked for what cannot be, is not. */
export const isError = ({ status }: Pick<RequestLine, 'status'>): boolean => status >= 500;
/** A millisecond and a microsecond are told apart, and 0 is a number. */
const logOf = (seconds: number): number => Math.log(Math.max(1e-6, seconds));

interface Sums {
  readonly sum: Float64Array;
  readonly count: Float64Array;
}

export class ReleaseTally {
  requests = 0;
  errors = 0;
  up = 0;
  down = 0;
  promptTokens = 0;
  cachedTokens = 0;
  answerTokens = 0;
  readonly seconds = new QuantileSketch();
  readonly firstToken = new QuantileSketch();
  /** Tokens of answers. */
  readonly lengths = new QuantileSketch();
  private readonly sums = new Map<Measure, Sums>();

  add(line: TrafficLine): void {
    if (line.type === 'request') this.addRequest(line);
    else {
      if (line.before !== undefined) this.rate(line.group, line.before, -1);
      this.rate(line.group, line.thumbs, 1);
    }
  }

  private addRequest(line: RequestLine): void {
    this.requests++;
    if (isError(line)) this.errors++;
    this.promptTokens += line.promptTokens;
    this.cachedTokens += line.cachedTokens;
    this.answerTokens += line.answerTokens;
    if (isAnswered(line)) {
      this.seconds.add(line.seconds);
      this.lengths.add(line.answerTokens);
      if (line.firstTokenSeconds !== undefined) this.firstToken.add(line.firstTokenSeconds);
    }
    for (const [measure, measured] of Object.entries(MEASURES) as [keyof typeof MEASURES, Valuer][]) {
      const value = measured(line);
      if (value !== undefined) this.sum(measure, line.group, value, 1);
    }
  }

  private rate(group: number, thumbs: 'up' | 'down', times: 1 | -1): void {
    this[thumbs] += times;
    this.sum('thumbsUp', group, thumbs === 'up' ? times : 0, times);
  }

  private sum(measure: Measure, group: number, value: number, times: number): void {
    let sums = this.sums.get(measure);
    if (sums === undefined) {
      sums = { sum: new Float64Array(USER_GROUPS), count: new Float64Array(USER_GROUPS) };
      this.sums.set(measure, sums);
    }
    const at = group % USER_GROUPS;
    sums.sum[at] = (sums.sum[at] ?? 0) + value;
    sums.count[at] = (sums.count[at] ?? 0) + times;
  }

  /** By group of users. */
  *groups(measure: Measure): Iterable<GroupSum> {
    const sums = this.sums.get(measure);
    if (sums === undefined) return;
    for (let group = 0; group < USER_GROUPS; group++)
      yield { sum: sums.sum[group] ?? 0, count: sums.count[group] ?? 0 };
  }
}

type Valuer = (line: RequestLine) => number | undefined;
