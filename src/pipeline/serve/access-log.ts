/** A line for each request; what was asked and answered only where that is wanted. */
import { harmless } from '../../language/diagnostics/render/index.js';
import type { RequestEnd } from './observer.js';
import { type Redact, redacted } from './redact.js';

interface AccessLogOptions {
  /** Prompts and answers, too. */
  readonly prompts: boolean;
  readonly redact: Redact;
  readonly now: () => number;
}

/** Characters of a prompt or an answer. */
const LONGEST = 2000;

export const accessLines = (
  end: RequestEnd,
  { prompts, redact, now }: AccessLogOptions,
): readonly string[] => [lineOf(end, now()), ...(prompts ? textLines(end, redact) : [])];

/** `12:00:03 chat 200 stop 1.20 s, 23 + 40 tokens, release 2` */
function lineOf(
  { endpoint, status, reason, errorCode, seconds, release, ...tokens }: RequestEnd,
  at: number,
): string {
  const parts = [
    `${new Date(at).toISOString().slice(11, 19)} ${endpoint} ${status} ${errorCode ?? reason} ${seconds.toFixed(2)} s`,
    ...(status < 400 || tokens.answerTokens > 0
      ? [`${tokens.promptTokens} + ${tokens.answerTokens} tokens`]
      : []),
    ...(release === undefined || release.role === 'only'
      ? []
      : [`release ${release.number}${release.role === 'canary' ? ' (canary)' : ''}`]),
  ];
  return parts.join(', ');
}

const textLines = ({ prompt, answers = [] }: RequestEnd, redact: Redact): readonly string[] => [
  ...(prompt === undefined ? [] : [`  > ${shown(prompt, redact)}`]),
  ...answers.filter((text) => text !== '').map((text) => `  < ${shown(text, redact)}`),
];

/** On one line: a text as it is, anything else as JSON. */
function shown(value: unknown, redact: Redact): string {
  const clean = redacted(value, redact);
  const text = typeof clean === 'string' ? clean : JSON.stringify(clean);
  const whole = harmless(JSON.stringify(text).slice(1, -1));
  return whole.length > LONGEST ? `${whole.slice(0, LONGEST)}…` : whole;
}
