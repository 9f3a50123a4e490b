/** FTP0770…: bottleneck adapters, and what they do not go with. */
import type { Span } from '../../source/span.js';
import { error } from '../make.js';
import type { Diagnostic } from '../types.js';

export const bottleneckWithout = (at: Span, setting: string, why: string): Diagnostic =>
  error('FTP0770', at, `\`${setting}\` does not go with bottleneck adapters: ${why}`, {
    label: 'cannot be meant',
    help: `leave out \`${setting}\`, or \`adapter\``,
  });

export const bottleneckMerged = (at: Span, adapter: string): Diagnostic =>
  error('FTP0771', at, `\`${adapter}\` has bottleneck adapters, which cannot be merged into weights`, {
    label: 'networks of their own, which are not linear',
    help: "load it beside its base with AdapterHub's `adapters`, or train low-rank factors: leave out `adapter`",
  });

export const reductionTooHigh = (at: Span, reduction: number, hidden: number): Diagnostic =>
  error('FTP0772', at, `a reduction of ${reduction} leaves nothing of the base's ${hidden} hidden values`, {
    label: `at most ${hidden}`,
    help: 'lower `reduction`; 2 to 64 are usual, and 16 is the most common',
  });

export const sumBehindNorm = (at: Span, family: string): Diagnostic =>
  error('FTP0773', at, `\`kind: pfeiffer\` does not go with a base of the family ${family}`, {
    label: 'there is a norm between what a part gives and the sum that the adapter would read',
    help: 'use `kind: houlsby` with the same `where`: it reads what the part gives',
  });
