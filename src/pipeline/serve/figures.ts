/** What is measured of requests, as people read them. */
import { percentText } from '../../language/diagnostics/make.js';

/** What there is none of. */
export const NONE = '–';

export function secondsText(seconds: number | null): string {
  if (seconds === null) return NONE;
  if (seconds < 0.9995) return `${Number((seconds * 1000).toPrecision(3))} ms`;
  return `${Number(seconds.toPrecision(3))} s`;
}

export const countText = (value: number): string => Math.round(value).toLocaleString('en');

export const numberText = (value: number | null): string =>
  value === null ? NONE : String(Number(value.toPrecision(3)));

export const shareText = (share: number | null): string =>
  share === null || Number.isNaN(share) ? NONE : percentText(Number(share.toPrecision(3)));

/** `3 of 4`, or that there is none. */
export const shareOf = (part: number, whole: number): string =>
  whole === 0 ? NONE : shareText(part / whole);

/** A difference with its sign, and a minus as long as a plus. */
export const signed = (text: string, value: number): string =>
  value < 0 ? `−${text}` : value > 0 ? `+${text}` : text;

/** `2 d 3 h`, `3 h 5 min`, `12 s` */
export function ageText(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
