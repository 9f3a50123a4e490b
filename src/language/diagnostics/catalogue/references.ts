/** FTP2300…: models that answers are compared with. */
import { quoted } from '../../source/quoted.js';
import type { Span } from '../../source/span.js';
import { error } from '../make.js';

/** `token`: the first of the base's that the reference does not have under its id. */
export const readsOtherTokens = (
  at: Span,
  {
    reference,
    base,
    id,
    token,
    other,
  }: {
    readonly reference: string;
    readonly base: string;
    readonly id: number;
    readonly token: string;
    readonly other?: string;
  },
) =>
  error('FTP2300', at, {
    message: `the reference \`${reference}\` has other tokens than the base \`${base}\``,
    label: 'would read other words',
    notes: [
      `token ${id} is ${quoted(token)} for the base, and ${other === undefined ? 'none' : quoted(other)} for the reference`,
    ],
    help: 'name a model with the tokenizer of the base, such as another one of its family, or what was tuned from it',
  });

/** It has a head over labels, or of one score. */
export const writesNothing = (at: Span, reference: string) =>
  error('FTP2301', at, {
    message: `the reference \`${reference}\` writes no answers: it is a classifier or a reward model`,
    label: 'gives no probability to an answer',
    help: 'name a model that writes, such as the one that training starts from',
  });
