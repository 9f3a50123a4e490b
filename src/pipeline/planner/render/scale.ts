/** What a stage works on, in a few words. */
import { count, magnitude } from '../quantities.js';
import type { StageScale } from '../types.js';

/** `2,412 rows, 302 steps, trains 325 k of 1.90 M (17.1%)`; empty if nothing is known. */
export function scaleText(scale: StageScale | null): string {
  return [workText(scale), trainedText(scale)].filter((text) => text !== '').join(', ');
}

/** `2,412 rows, 302 steps`: how often something is done, and with how many parameters if none is trained. */
export function workText(scale: StageScale | null): string {
  if (scale === null) return '';
  const { rows, steps, known, trainableParameters: trained, totalParameters: all } = scale;
  const about = known === 'counted' ? '' : '~';
  return [
    ...(rows === null ? [] : [`${about}${count(rows)} ${rows === 1 ? 'row' : 'rows'}`]),
    ...(steps === null ? [] : [`${about}${count(steps)} ${steps === 1 ? 'step' : 'steps'}`]),
    ...(trained === null && all !== null ? [`${magnitude(all)} parameters`] : []),
  ].join(', ');
}

/** `trains 325 k of 1.90 M (17.1%)`; empty if nothing is trained. */
export function trainedText(scale: StageScale | null): string {
  const { trainableParameters: trained, totalParameters: all } = scale ?? NOTHING;
  return trained === null || all === null
    ? ''
    : `trains ${magnitude(trained)} of ${magnitude(all)} (${share(trained / all)})`;
}

const NOTHING = { trainableParameters: null, totalParameters: null };
const share = (part: number): string => `${(100 * part).toFixed(part >= 0.1 ? 1 : 2)}%`;
