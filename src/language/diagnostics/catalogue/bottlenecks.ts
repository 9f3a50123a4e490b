/** FTP0770…: bottleneck adapters, and what they do not go with. */
import type { Span } from '../../source/span.js';
import { error } from '../make.js';
import type { Diagnostic } from '../types.js';

export const bottleneckWithout = (at: Span, setting: string, why: string): Diagnostic =>
  error('FTP0770', at, `\`${setting}\` cannot be combined with bottleneck adapters: ${why}`, {
    label: 'conflicting settings',
    help: `remove \`${setting}\` or \`adapter\``,
  });

export const bottleneckMerged = (at: Span, adapter: string): Diagnostic =>
  error('FTP0771', at, `\`${adapter}\` has bottleneck adapters, which cannot be merged into weights`, {
    label: 'they are separate, non-linear networks',
    help: "load it with AdapterHub's `adapters` on top of its base, or train low-rank factors: remove `adapter`",
  });

export const reductionTooHigh = (at: Span, reduction: number, hidden: number): Diagnostic =>
  error('FTP0772', at, `a reduction of ${reduction} leaves no width: the base has ${hidden} hidden values`, {
    label: `at most ${hidden}`,
    help: 'lower `reduction`; 2 to 64 are usual, and 16 is the most common',
  });

export const sumBehindNorm = (at: Span, family: string): Diagnostic =>
  error('FTP0773', at, `\`kind: pfeiffer\` does not work with the ${family} family`, {
    label: 'its blocks have a norm between a sublayer and the sum that the adapter would read',
    help: 'use `kind: houlsby` with the same `where`: it reads the output of the sublayer',
  });
