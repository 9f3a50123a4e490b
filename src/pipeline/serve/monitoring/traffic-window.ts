/** The last minutes of one release in cells of a few seconds: what the dashboard draws. */
import { isError } from '../comparison/release-tally.js';
import { QuantileSketch } from './quantile-sketch.js';
import type { RequestLine } from './request-line.js';

/** Seconds of a cell, and how many there are: ten minutes. */
export const CELL = 5;
const CELLS = 120;
/** Cells whose durations are put together for a quantile: 30 seconds. */
const SMOOTHED = 6;

interface Cell {
  /** Number of the cell since the epoch. */
  readonly number: number;
  requests: number;
  errors: number;
  answerTokens: number;
  /** Requests that ran or waited when someone looked, at most. */
  running: number;
  waiting: number;
  /** Seconds of requests that have ended since. */
  ranSeconds: number;
  waitedSeconds: number;
  readonly seconds: QuantileSketch;
}

export interface WindowPoint {
  /** Milliseconds since the epoch: the end of the cell. */
  readonly at: number;
  readonly requests: number;
  readonly errors: number;
  readonly tokensPerSecond: number;
  /** Requests that ran and waited, on average or as seen. */
  readonly running: number;
  readonly waiting: number;
  /** Seconds, of the 30 seconds before; null where nothing was answered. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export class TrafficWindow {
  private readonly cells: (Cell | undefined)[] = new Array(CELLS);

  add(line: RequestLine): void {
    const cell = this.cellAt(line.at);
    cell.requests++;
    if (isError(line)) cell.errors++;
    cell.answerTokens += line.answerTokens;
    if (line.status < 400) cell.seconds.add(line.seconds);
    const end = line.at / 1000;
    const began = Math.min(end, end - line.seconds + line.queueSeconds);
    this.spread(end - line.seconds, began, 'waitedSeconds');
    this.spread(began, end, 'ranSeconds');
  }

  /** Gives each cell its part of a time, in seconds since the epoch. */
  private spread(from: number, to: number, name: 'ranSeconds' | 'waitedSeconds'): void {
    const last = Math.floor(to / CELL);
    for (let number = Math.max(Math.floor(from / CELL), last - CELLS + 1); number <= last; number++) {
      const part = Math.min(to, (number + 1) * CELL) - Math.max(from, number * CELL);
      const isPast = (this.cells[number % CELLS]?.number ?? 0) > number;
      if (part > 0 && !isPast) this.cellAt(number * CELL * 1000)[name] += part;
    }
  }

  /** What runs and waits at this moment. */
  sample(at: number, running: number, waiting: number): void {
    const cell = this.cellAt(at);
    cell.running = Math.max(cell.running, running);
    cell.waiting = Math.max(cell.waiting, waiting);
  }

  private cellAt(at: number): Cell {
    const number = Math.floor(at / 1000 / CELL);
    const found = this.cells[number % CELLS];
    if (found?.number === number) return found;
    const cell = {
      ...{ number, requests: 0, errors: 0, answerTokens: 0, running: 0, waiting: 0, ranSeconds: 0 },
      waitedSeconds: 0,
      seconds: new QuantileSketch(),
    };
    this.cells[number % CELLS] = cell;
    return cell;
  }

  /** Every cell that has ended within the window, the oldest first. */
  points(now: number): readonly WindowPoint[] {
    const first = Math.floor(now / 1000 / CELL) - CELLS + 1;
    return Array.from({ length: CELLS - 1 }, (_, index) => {
      const number = first + index;
      const recent = new QuantileSketch();
      for (let before = 0; before < SMOOTHED; before++) {
        const cell = this.numbered(number - before);
        if (cell !== undefined) recent.merge(cell.seconds);
      }
      return pointOf(number, this.numbered(number), recent);
    });
  }

  private numbered(number: number): Cell | undefined {
    const found = this.cells[((number % CELLS) + CELLS) % CELLS];
    return found?.number === number ? found : undefined;
  }

  /** Durations of the whole window. */
  seconds(now: number): QuantileSketch {
    const first = Math.floor(now / 1000 / CELL) - CELLS + 1;
    const all = new QuantileSketch();
    for (const cell of this.cells) if (cell !== undefined && cell.number >= first) all.merge(cell.seconds);
    return all;
  }
}

/** Of what was seen, and of the mean over the cell: a request that is short is seen by chance only. */
const atMost = (seen = 0, seconds = 0): number => Math.max(seen, seconds / CELL);

const pointOf = (number: number, cell: Cell | undefined, recent: QuantileSketch): WindowPoint => ({
  at: (number + 1) * CELL * 1000,
  requests: cell?.requests ?? 0,
  errors: cell?.errors ?? 0,
  tokensPerSecond: (cell?.answerTokens ?? 0) / CELL,
  running: atMost(cell?.running, cell?.ranSeconds),
  waiting: atMost(cell?.waiting, cell?.waitedSeconds),
  p50: recent.quantile(0.5) ?? null,
  p95: recent.quantile(0.95) ?? null,
  p99: recent.quantile(0.99) ?? null,
});
