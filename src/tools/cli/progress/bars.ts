import { type Options, SingleBar } from 'cli-progress';
import { wrapped } from '../../../pipeline/planner/render/wrapped.js';
import type { CliContext, Colours } from '../cli-context.js';
import { countText, figuresOf, type Progress, paceKeeper, sentenceOf, timeLeft } from './sentences.js';
import type { RunView } from './views.js';

/** Of the lines after the first. */
const INDENT = '  ';

interface Payload {
  readonly event: Progress;
  readonly left: string | undefined;
}

/** Columns of the bar: figures matter more where there is little room. */
const barWidth = (width: number): number => (width < 100 ? 10 : 24);

/** One line, with as many figures as fit. `share`: how much of it is done. */
export function barLine(
  { event, left }: Payload,
  share: number,
  { colours, width }: { readonly colours: Colours; readonly width: number },
): string {
  const size = barWidth(width);
  const filled = Math.round(Math.min(1, share) * size);
  const drawn = colours.cyan('█'.repeat(filled)) + colours.dim('░'.repeat(size - filled));
  const words = [countText(event), ...figuresOf(event), left ?? ''];
  const text = words.filter((word) => word !== '').join(' · ');
  const room = Math.max(10, width - size - event.stage.length - 3);
  return `${colours.bold(event.stage)} ${drawn} ${text.length > room ? `${text.slice(0, room - 1)}…` : text}`;
}

/** One bar for the stage at work; what is worth keeping is in lines above it. */
export function barsView(context: CliContext, show: (line: string) => void): RunView {
  const { colours, width } = { colours: context.colours.err, width: context.width };
  const elapsedOf = paceKeeper(context.host.clock);
  let bar: SingleBar | undefined;
  let shown: Payload | undefined;
  const format = (_: Options, params: { progress: number }, payload: Payload): string =>
    barLine(payload, params.progress, { colours, width });
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  const move = (payload: Payload): void => {
    shown = payload;
    if (bar === undefined) {
      bar = new SingleBar({ format, clearOnComplete: true, hideCursor: true, fps: 8 });
      bar.start(Math.max(1, payload.event.total), payload.event.done, payload);
    } else {
      bar.setTotal(Math.max(1, payload.event.total));
      bar.update(payload.event.done, payload);
    }
  };
  return {
    event: (event) => {
      const elapsed = elapsedOf(event);
      if (event.type === 'stage.progress') return move({ event, left: timeLeft(event, elapsed) });
      const sentence = sentenceOf(event, colours);
      if (event.type === 'stage.finished' || event.type === 'run.finished') {
        stop();
        shown = undefined;
      }
      if (sentence === undefined) return;
      stop();
      for (const [index, line] of wrapped(sentence, width - INDENT.length).entries())
        show(index === 0 ? line : INDENT + line);
      if (shown !== undefined) move(shown);
    },
    diagnostic: () => {},
    makeRoom: stop,
    printsDiagnostics: true,
    close: stop,
  };
}
