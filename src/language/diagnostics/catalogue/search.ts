/** FTP2200 to FTP2209: searches over matrices. */
import type { Span } from '../../source/span.js';
import { counted, error, info, replace } from '../make.js';

export const rangeWithoutSearch = (at: Span, matrix: string, isGrid: boolean) =>
  error('FTP2200', at, `nothing draws the values of \`${matrix}\``, {
    label: isGrid ? 'a grid has no end of them' : 'any number between two others',
    help: isGrid
      ? 'list the values, `[1e-4, 2e-4]`, or let the search draw them: `search(random, …)`'
      : 'list the values, `[1e-4, 2e-4]`, or declare what draws them: `matrix best: Search = search(random, trials: 20, by: quality.rouge_l)`',
  });

export const sameInEveryTrial = (at: Span, stage: string) =>
  error('FTP2201', at, `\`${stage}\` is the same in every trial, so no trial wins by it`, {
    label: 'depends on no matrix',
    help: 'name a metric of a stage that depends on the matrices, such as the evaluation of what is trained with them',
  });

export const severalSearches = (at: Span, name: string, first: Span) =>
  error('FTP2202', at, `\`${name}\` is a second search`, {
    label: 'a pipeline has one',
    related: [{ at: first, message: 'the first one' }],
    help: 'remove one of them: a search tries the values of all matrices',
  });

/** `trainings`: those that the metric depends on, in each trial. */
export const nothingToHalve = (at: Span, trainings: readonly string[], validates: boolean) =>
  error('FTP2203', at, 'nothing says which trials are to end early', {
    label:
      trainings.length === 1
        ? `\`${trainings[0]}\` has no \`validate\``
        : trainings.length === 0
          ? 'no training depends on the matrices'
          : `${trainings.map((name) => `\`${name}\``).join(' and ')} both depend on the matrices`,
    help:
      trainings.length === 1 && !validates
        ? `give \`${trainings[0]}\` rows to compare trials on while they train, \`validate = dialogs.valid\`, or search with \`random\``
        : 'search with `random`, which lets every trial end',
  });

export const winnerInTrial = (at: Span, stage: string, search: string) =>
  error('FTP2204', at, `\`${stage}\` is part of the trials, and cannot wait for their winner`, {
    label: `known once all trials of \`${search}\` are over`,
    help: `read the trial's own stage, without \`${search}.\`, or let \`${stage}\` depend on no matrix`,
    fixes: [replace(`remove \`${search}.\``, { ...at, end: at.end + 1 }, '', 'maybe_incorrect')],
  });

export const notTried = (at: Span, search: string, stage: string) =>
  error('FTP2205', at, `\`${stage}\` is the same in every trial of \`${search}\``, {
    label: 'no trial of it wins',
    help: `write \`${stage}\` alone`,
    fixes: [replace(`remove \`${search}.\``, { ...at, end: at.end + 1 }, '')],
  });

export const fewerTrials = (at: Span, found: number, asked: number) =>
  info(
    'FTP2206',
    at,
    `the matrices have ${counted(found, 'combination')}: the search tries each, and no more`,
    {
      label: `${asked} were asked for`,
      help: `ask for \`trials: ${found}\`, or give the matrices more values, or ranges: \`log_uniform(1e-5, 1e-3)\``,
    },
  );

export const emptyDraw = (at: Span, why: string) =>
  error('FTP2207', at, 'nothing can be drawn from this range', {
    label: why,
    help: 'write the lower end first, and for `log_uniform` ends above 0: `log_uniform(1e-5, 1e-3)`',
  });

export const winnerInBudget = (at: Span, path: string) =>
  error('FTP2208', at, 'a budget limits every stage, and not the winner alone', {
    label: 'the name of a search',
    help: `write \`${path}\`, which is checked for each trial, or put the condition into a stage that reads the winner`,
  });

export const winnerOfWhat = (at: Span, search: string, stages: readonly string[]) =>
  error('FTP2209', at, `\`${search}\` is a search: what of its winner is meant?`, {
    label: 'no stage is named',
    help: `name a stage and its port: \`${search}.${stages[0] ?? 'adapter'}.best\``,
  });
