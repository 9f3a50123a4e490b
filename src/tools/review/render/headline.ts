/** A comparison in one or two lines. */
import { counted } from '../../../language/diagnostics/make.js';
import { figureNoun, shortFigure } from '../figures.js';
import type { Comparison, FigureName, Note } from '../types.js';
import { type Cell, code, codeList } from './pieces.js';
import { relativeText } from './sections.js';

/** Figures of the whole that a headline names. */
const NAMED: readonly FigureName[] = ['peakBytes', 'trainableParameters', 'steps', 'seconds'];

/** What is compared with: a commit as it was named, or a file. */
export const baseName = ({ base }: Comparison): string => (base.kind === 'ref' ? base.ref : base.file);

/** Our own words and numbers only: nothing in it needs to be set off. */
export function headline(comparison: Comparison): readonly string[] {
  if (!comparison.changed) return ['no change'];
  const what = [
    ...verdicts(comparison),
    ...computingWords(comparison),
    ...(comparison.isNew ? newness(comparison) : changes(comparison)),
  ];
  const sizes = comparison.totals
    .filter(({ figure }) => NAMED.includes(figure))
    .sort((a, b) => NAMED.indexOf(a.figure) - NAMED.indexOf(b.figure))
    .map((change) => {
      const [before, after] = [change.before, change.after].map((value) => shortFigure(change.figure, value));
      const relative = relativeText(change);
      const values = change.before === null ? after : `${before} → ${after}`;
      return `${figureNoun(change.figure)} ${values}${relative === '' ? '' : ` (${relative})`}`;
    });
  return [
    what.length === 0 ? 'only comments changed' : what.join(', '),
    ...(sizes.length === 0 ? [] : [sizes.join(' · ')]),
  ];
}

function verdicts({ valid, budget }: Comparison): readonly string[] {
  const broken = budget.filter(({ change, holds }) => change !== 'removed' && holds === false).length;
  const kept = budget.filter(({ change }) => change === 'kept').length;
  return [
    ...(valid ? [] : ['cannot run']),
    ...(broken > 0 ? [`${counted(broken, 'budget')} ${broken === 1 ? 'is' : 'are'} broken`] : []),
    ...(kept > 0 ? [`${counted(kept, 'budget')} ${kept === 1 ? 'holds' : 'hold'} again`] : []),
  ];
}

/** `engine embedded → accelerate`, `devices 2 → 8` */
const computingWords = ({ computing = [] }: Comparison): readonly string[] => {
  const [engine] = computing.filter(({ setting }) => setting === 'engine');
  return (engine === undefined ? computing : [engine]).map(
    ({ setting, before, after }) => `${setting} ${before ?? '–'} → ${after ?? '–'}`,
  );
};

const newness = ({ base, stages }: Comparison): readonly string[] => [
  base.kind === 'ref' && base.file === null ? 'new pipeline' : 'everything counts as new',
  counted(stages.length, 'stage'),
];

function changes({ stages, diagnostics, budget }: Comparison): readonly string[] {
  const kept = stages.filter(({ status }) => status === 'changed' || status === 'unchanged');
  const reruns = kept.filter((stage) => stage.reruns === true).length;
  const number = (status: string): number => stages.filter((stage) => stage.status === status).length;
  const sum = (size: (stage: (typeof stages)[number]) => number): number =>
    stages.reduce((total, stage) => total + size(stage), 0);
  const settings = sum((stage) => stage.settings.filter(({ from }) => from !== 'planner').length);
  const chosen = sum((stage) => stage.settings.length) - settings;
  const requires =
    sum(({ requires }) => Math.max(requires.added.length, requires.removed.length)) +
    budget.filter(({ change }) => change === 'added' || change === 'removed').length;
  const isKnown = kept.some((stage) => stage.reruns !== null);
  const sizes = sum(({ figures }) => figures.length);
  const isSizeAlone = settings + chosen + requires + reruns === 0 && kept.length === stages.length;
  return [
    ...(reruns > 0
      ? [`${reruns} of ${counted(kept.length, 'stage')} ${reruns === 1 ? 'reruns' : 'rerun'}`]
      : []),
    ...plural(number('added'), 'new stage'),
    ...(number('removed') > 0 ? [`${counted(number('removed'), 'stage')} gone`] : []),
    ...(settings > 0 ? [`${counted(settings, 'setting')} changed`] : []),
    ...(requires > 0 ? [`${counted(requires, 'requirement')} changed`] : []),
    ...(chosen > 0 && settings === 0 ? [`${counted(chosen, 'choice')} of the planner changed`] : []),
    ...(['error', 'warning'] as const).flatMap((severity) => {
      const [added, removed] = [diagnostics.added, diagnostics.removed].map(
        (found) => found.filter((one) => one.severity === severity).length,
      );
      return [
        ...plural(added ?? 0, `new ${severity}`),
        ...plural(removed ?? 0, severity).map((text) => `${text} gone`),
      ];
    }),
    ...(isSizeAlone && sizes > 0 ? [`${counted(sizes, 'size')} changed`] : []),
    ...(reruns === 0 && isKnown ? ['nothing reruns'] : []),
  ];
}

const plural = (number: number, noun: string): readonly string[] =>
  number > 0 ? [counted(number, noun)] : [];

/** Notes that are shown. */
const MOST = 10;

const WORDS: { readonly [K in Note['kind']]: (note: Extract<Note, { kind: K }>) => Cell } = {
  renamed: ({ from }) => ['the pipeline was called ', code(from)],
  unknown_param: ({ name }) => [
    'the parameter ',
    code(name),
    ' is new, and was left out of the earlier plan',
  ],
  untracked: ({ files }) => {
    const are = files.length === 1 ? ' is' : ' are';
    return [...codeList(files), `${are} not in git: the working tree is used for both sides`];
  },
};

export function noteCells(notes: readonly Note[]): readonly Cell[] {
  const shown = notes.slice(0, MOST).map((note) => (WORDS[note.kind] as (note: Note) => Cell)(note));
  return notes.length > MOST ? [...shown, [`${notes.length - MOST} more notes are left out`]] : shown;
}
