/** FTP12xx: tests of pipelines. */

import type { Span } from '../../source/span.js';
import { instead, suggestion } from '../did-you-mean.js';
import { error, insert, named, warning, wholeFile } from '../make.js';

/** `values`: those of the parts of the condition, in order. */
export const expectationFailed = (span: Span, text: string, values: readonly string[]) =>
  error('FTP1201', span, `\`${text}\` does not hold`, { label: 'is false', notes: values });

export const notKnown = (span: Span, name: string, why: string, values: readonly string[]) =>
  error('FTP1202', span, `\`${name}\` is not known`, {
    label: why,
    notes: values,
    help: 'expect something that is known here; to test whether a value is known, compare it with `none`',
  });

/** `meant`: the right name, if it is certain. */
export const unknownTestName = (
  span: Span,
  name: string,
  where: string,
  known: readonly string[],
  meant?: string,
) =>
  error('FTP1203', span, `${where} has no \`${name}\``, {
    label: 'unknown name',
    ...(meant === undefined ? suggestion(name, span, known) : instead(meant, span)),
  });

export const noPipeline = (span: Span, file: string, pipeline: string) =>
  error('FTP1204', span, `\`${file}\` tests \`${pipeline}\`, which does not exist`, {
    label: 'no such pipeline',
    help: 'a test file is placed next to the pipeline of the same name, or has `pipeline = "other.ftp"` in each test',
  });

export const needsRun = (span: Span, name: string, insertAt: number) =>
  error('FTP1205', span, `\`${name}\` is only known after a run, but the test does not run`, {
    label: 'needs a run',
    help: 'write `run = true` in the test, which then runs the pipeline',
    fixes: [insert('write `run = true`', span.file, insertAt, '\n  run = true')],
  });

export const sameTestName = (span: Span, name: string, first: Span) =>
  error('FTP1206', span, `there are two tests \`${name}\``, {
    label: 'again',
    related: [{ at: first, message: 'the first one' }],
    help: 'give each test a unique name: reports identify tests by name',
  });

export const expectsNothing = (span: Span, name: string) =>
  warning('FTP1207', span, `the test \`${name}\` expects nothing`, {
    label: 'always passes',
    help: 'write an expectation, for example `expect plan.valid`',
  });

export const notComparable = (span: Span, name: string, what: string) =>
  error('FTP1208', span, `\`${name}\` is ${what}, which cannot be compared`, {
    label: what,
    help: 'compare a single setting in it',
  });

export const badReport = (span: Span, what: string) =>
  error('FTP1209', span, `\`${what}\` takes a diagnostic code`, {
    label: 'not a code',
    help: `for example \`${what}("FTP0301")\`; \`ftpc explain\` lists them all`,
  });

/** `setting` is about a machine, which may be another one. */
export const runsHere = (span: Span, setting: string) =>
  error('FTP1212', span, {
    message: `a test with \`run = true\` runs on this machine: \`${setting}\` applies only to plans`,
    label: 'for another machine',
    help: 'remove it, or move the expectations about plans into a test that does not run',
  });

/** `matrices`: those that make several stages of this name. */
export const severalStages = (span: Span, name: string, matrices: readonly string[]) =>
  error('FTP1213', span, `\`${name}\` is several stages, one for each value of ${named(matrices, 'and')}`, {
    label: 'which of them?',
    help: `choose a value: \`with = { ${matrices.map((matrix) => `${matrix}: …`).join(', ')} }\``,
  });

export const noTests = (where: string) =>
  error('FTP1210', wholeFile(where), `there are no tests in \`${where}\``, {
    help: 'tests are in files whose names end with `.test.ftp`',
  });

export const noTestMatches = (filter: string) =>
  error('FTP1211', undefined, `no test has \`${filter}\` in its name`, {
    help: 'the filter is searched for in `FILE: NAME`, ignoring case',
  });
