import { MultiBar, type Options, type SingleBar } from 'cli-progress';
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

/** Columns that a long name leaves to what comes after the bar. */
const FIGURES = 30;

const cut = (text: string, room: number): string =>
  text.length > room ? `${text.slice(0, room - 1)}…` : text;

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
  // the name of a combination of a matrix may be long
  const name = cut(event.stage, Math.max(10, width - size - 3 - FIGURES));
  const room = Math.max(10, width - size - name.length - 3);
  return `${colours.bold(name)} ${drawn} ${cut(text, room)}`;
}

/** A bar for each stage at work, in the order in which they began; what is worth keeping is in lines above them. */
export function barsView(context: CliContext, show: (line: string) => void): RunView {
  const { colours, width } = { colours: context.colours.err, width: context.width };
  const elapsedOf = paceKeeper(context.host.clock);
  const shown = new Map<string, Payload>();
  const stack = barStack((payload, share) => barLine(payload, share, { colours, width }));
  return {
    event: (event) => {
      const elapsed = elapsedOf(event);
      if (event.type === 'stage.progress') {
        shown.set(event.stage, { event, left: timeLeft(event, elapsed) });
        stack.draw(shown);
        return;
      }
      const sentence = sentenceOf(event, colours);
      if (event.type === 'stage.finished') shown.delete(event.stage);
      if (event.type === 'run.finished') shown.clear();
      if (sentence === undefined && event.type !== 'stage.finished' && event.type !== 'run.finished') return;
      stack.clear();
      for (const [index, line] of wrapped(sentence ?? '', width - INDENT.length).entries())
        if (sentence !== undefined) show(index === 0 ? line : INDENT + line);
      stack.draw(shown);
    },
    diagnostic: () => {},
    makeRoom: stack.clear,
    printsDiagnostics: true,
    close: stack.clear,
  };
}

/** Bars under each other, drawn again from the first where one is gone or a line came between. */
function barStack(line: (payload: Payload, share: number) => string) {
  let bars: MultiBar | undefined;
  const drawn = new Map<string, SingleBar>();
  const format = (_: Options, params: { progress: number }, payload: Payload): string =>
    line(payload, params.progress);
  const options = { format, clearOnComplete: true, hideCursor: true, fps: 8, gracefulExit: false };
  return {
    draw(shown: ReadonlyMap<string, Payload>): void {
      if (shown.size === 0) return;
      bars ??= new MultiBar(options);
      for (const [stage, payload] of shown) {
        const { done, total } = payload.event;
        const bar = drawn.get(stage);
        if (bar === undefined) drawn.set(stage, bars.create(Math.max(1, total), done, payload));
        else {
          bar.setTotal(Math.max(1, total));
          bar.update(done, payload);
        }
      }
    },
    clear(): void {
      bars?.stop();
      bars = undefined;
      drawn.clear();
    },
  };
}
