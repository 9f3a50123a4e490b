/** The production checklist of fine-tuning guides: one entry per item, in the order of the work. */
import { referenceIn } from '../../../language/check/stage-settings.js';
import type { CheckedStage } from '../../../language/check/stages.js';
import { isCall, isList } from '../../../language/ir/values.js';
import { isShipped } from '../../../language/schemas/functions/source.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { shellWord } from '../../../language/source/shell-word.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import { droppedText } from '../metric-text.js';
import type { Answer, Evidence, Facts } from './facts.js';
import { licenceUse, rowsUse } from './licences.js';

export interface Item {
  readonly id: string;
  readonly phase: Phase;
  readonly text: string;
  answer(facts: Facts): Answer;
}

export const PHASES = ['before training', 'during training', 'after training', 'deployment'] as const;
type Phase = (typeof PHASES)[number];

const done = (...evidence: Evidence[]): Answer => ({ state: 'done', evidence });
const open = (todo: string, ...evidence: Evidence[]): Answer => ({ state: 'open', evidence, todo });
const waiting = (todo: string): Answer => ({ state: 'waiting', evidence: [], todo });
const unknown = (todo: string, ...evidence: Evidence[]): Answer => ({ state: 'unknown', evidence, todo });

/** Done where it is for every stage of a kind; else what the first one lacks. */
function each(
  stages: readonly CheckedStage[],
  none: string,
  answer: (checked: CheckedStage) => Answer,
): Answer {
  if (stages.length === 0) return open(none);
  const answers = stages.map(answer);
  const worst = (['open', 'waiting', 'unknown'] as const).flatMap(
    (state) => answers.find((answer) => answer.state === state) ?? [],
  );
  return worst[0] ?? done(...answers.flatMap(({ evidence }) => evidence));
}

/** Each block once: a matrix makes several stages of one. Of the trials of a search, the one that is planned, which has won. */
const trainings = (facts: Facts): readonly CheckedStage[] =>
  blocks(
    [true, false].flatMap((planned) =>
      facts.of('train').filter(({ stage }) => (facts.planned(stage.name) !== undefined) === planned),
    ),
  );
const blocks = (stages: readonly CheckedStage[]): readonly CheckedStage[] =>
  stages.filter(({ block }, i) => stages.findIndex((other) => other.block === block) === i);

const NO_TRAINING = 'the pipeline trains nothing: write a `train` stage';

/** `412 rows kept, 3 dropped`, of a data stage that has run. */
function rowsRead(facts: Facts, { stage }: CheckedStage): readonly Evidence[] {
  const ran = facts.ran(stage.name);
  const kept = ran?.metrics['rows'];
  if (kept === undefined) return [];
  return [{ text: `${kept} rows kept, ${droppedText(ran?.dropped ?? {})}` }];
}

/** Rows that come with ftpc are checked. */
const isOwn = ({ stage }: CheckedStage): boolean =>
  ![settingsOf(stage, 'data').source].flat().every(isShipped);

function dataQuality(facts: Facts, checked: CheckedStage): Answer {
  const settings = settingsOf(checked.stage, 'data');
  if (settings.dedupe.length === 0)
    return open(`write \`dedupe = [exact, near(0.9)]\` in \`data ${checked.block.name.text}\``);
  return done(
    facts.setting(checked, 'dedupe'),
    facts.setting(checked, 'contradictions'),
    ...rowsRead(facts, checked),
  );
}

function heldOut(facts: Facts, checked: CheckedStage): Answer {
  const evaluated = facts.setting(checked, 'dataset');
  const rows = referenceIn(checked, 'dataset');
  const data = facts.dataUnder(checked, 'dataset');
  if (rows === undefined || data === undefined)
    return unknown('the rows of the evaluation are not those of a data stage', evaluated);
  // the same rows may be written in several forms
  const training = facts
    .of('train')
    .filter((stage) => facts.dataUnder(stage, 'dataset') === data)
    .flatMap((stage) => referenceIn(stage, 'dataset') ?? []);
  const both = training.find(({ port }) => [port, rows.port].includes('all') || port === rows.port);
  if (both !== undefined)
    return open(
      `\`${both.stage}.${both.port}\` is trained on: evaluate another split, such as \`${rows.stage}.test\``,
      evaluated,
    );
  // what is in another stage as well is compared by nothing
  if (training.length === 0)
    return done(evaluated, { text: `nothing trains on \`${data.block.name.text}\`` });
  const leaks = 'held-out rows that training has too, or nearly, are dropped as leaks';
  return done(evaluated, facts.setting(data, 'split'), { text: leaks });
}

/** An evaluation that measures the model against what it was before. */
const hasBaseline = ({ stage }: CheckedStage): boolean => stage.settings['baseline'] !== undefined;

/** Data stages that some training reads. */
const trainedOn = (facts: Facts): ReadonlySet<CheckedStage | undefined> =>
  new Set(facts.of('train').map((checked) => facts.dataUnder(checked, 'dataset')));

/** An evaluation that measures what is made of requests for harm. */
const asksForHarm = ({ settings: { metrics } }: CheckedStage['stage']): boolean =>
  isList(metrics) && metrics.some((metric) => isCall(metric) && SAFETY.includes(metric.call));

const SAFETY: readonly string[] = ['refusals', 'harmful'];

/** `safety`, `red_team_prompts`: a word of the name, and not a part of one, such as `harmony`. */
const SAFETY_NAME = /(?:^|_)(?:safe|safety|harm|harms|harmful|red_?team)(?:_|$)/;

const metricsText = (facts: Facts, { stage }: CheckedStage): readonly Evidence[] => {
  const metrics = Object.entries(facts.ran(stage.name)?.metrics ?? {});
  if (metrics.length === 0) return [];
  const shown = metrics.slice(0, 4).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
  return [{ text: `\`${stage.name}\`: ${shown.join(', ')}` }];
};

const BEFORE: readonly Omit<Item, 'phase'>[] = [
  {
    id: 'data_quality',
    text: 'The data are checked: duplicates, form, contradicting answers',
    answer(facts) {
      const all = blocks(facts.of('data'));
      if (all.length > 0 && !all.some(isOwn))
        return done({ text: 'all rows are samples that come with ftpc' });
      return each(all.filter(isOwn), 'write a `data` stage', (data) => dataQuality(facts, data));
    },
  },
  {
    id: 'base_licence',
    text: "The base's licence allows the use",
    answer: (facts) => each(trainings(facts), NO_TRAINING, (checked) => licenceUse(facts, checked)),
  },
  {
    id: 'data_licence',
    text: 'The licences of the rows allow the use',
    answer: (facts) =>
      each(
        blocks(facts.of('train').flatMap((checked) => facts.dataUnder(checked, 'dataset') ?? [])),
        NO_TRAINING,
        (data) => rowsUse(facts, data),
      ),
  },
  {
    id: 'held_out',
    text: 'The rows of the evaluation are apart from those of training',
    answer: (facts) =>
      each(blocks(facts.of('eval')), 'write an `eval` stage over a split that nothing trains on', (checked) =>
        heldOut(facts, checked),
      ),
  },
  {
    id: 'memory',
    text: 'The memory budget is known, and whether 4 bits are needed',
    answer: (facts) =>
      each(trainings(facts), NO_TRAINING, ({ stage, block }) => {
        const planned = facts.planned(stage.name);
        if (planned?.peak == null || planned.chosen === null)
          return unknown(`\`ftpc plan\` says what is missing to plan \`${block.name.text}\``);
        const { method } = planned.chosen;
        const most = planned.limits?.memory;
        const limit = most === undefined ? '' : `, of ${bytes(most.most)} that \`${most.require}\` allows`;
        return done({ text: `\`${stage.name}\`: ${method}, peak ${bytes(planned.peak.bytes)}${limit}` });
      }),
  },
];

const DURING: readonly Omit<Item, 'phase'>[] = [
  {
    id: 'losses',
    text: 'Training and validation loss are watched',
    answer: (facts) =>
      each(trainings(facts), NO_TRAINING, (checked) =>
        checked.stage.settings['validate'] === undefined
          ? open(`write \`validate = ….valid\` in \`train ${checked.block.name.text}\``)
          : done(facts.setting(checked, 'validate'), {
              text:
                facts.run === undefined
                  ? 'the report of a run draws both curves'
                  : `both curves are in .ftp/runs/${facts.run}/report.html and in \`ftpc metrics --plot loss\``,
            }),
      ),
  },
  {
    id: 'early_stopping',
    text: 'Training stops early when validation gets no better',
    answer: (facts) =>
      each(trainings(facts), NO_TRAINING, (checked) =>
        settingsOf(checked.stage, 'train').stop.patience === undefined
          ? open(`write \`stop = { patience: 3 }\` in \`train ${checked.block.name.text}\``)
          : done(facts.setting(checked, 'stop')),
      ),
  },
  {
    id: 'checkpoints',
    text: 'Checkpoints are saved regularly',
    answer: (facts) =>
      each(trainings(facts), NO_TRAINING, (checked) => done(facts.setting(checked, 'checkpoint'))),
  },
  {
    id: 'divergence',
    text: 'Gradient norms are watched, and a divergence ends training',
    answer: (facts) =>
      each(trainings(facts), NO_TRAINING, (checked) => {
        const ran = facts.ran(checked.stage.name)?.steps ?? [];
        const largest = Math.max(0, ...ran.map(({ gradNorm }) => gradNorm ?? 0));
        const seen =
          ran.length === 0
            ? []
            : [{ text: `${ran.length} steps, largest gradient norm ${largest.toPrecision(3)}` }];
        if (settingsOf(checked.stage, 'train').watch?.divergence === 'warn')
          return open(
            'a divergence is only warned of: write `watch = { divergence: stop }`',
            facts.setting(checked, 'watch'),
          );
        const answer = checked.stage.settings['watch'] === undefined ? [] : [facts.setting(checked, 'watch')];
        return done(
          ...answer,
          { text: 'a training that diverges ends, or goes back to a good checkpoint' },
          ...seen,
        );
      }),
  },
];

const AFTER: readonly Omit<Item, 'phase'>[] = [
  {
    id: 'domain_evaluation',
    text: 'The model is measured on held-out rows of its domain',
    answer(facts) {
      const domain = trainedOn(facts);
      const own = blocks(facts.of('eval')).filter((checked) =>
        domain.has(facts.dataUnder(checked, 'dataset')),
      );
      return each(
        own,
        'write an `eval` stage over the test split of the rows that it is trained on',
        (checked) => done(facts.setting(checked, 'metrics'), ...metricsText(facts, checked)),
      );
    },
  },
  {
    id: 'general_capabilities',
    text: 'What the base could do in general is still there',
    answer(facts) {
      const domain = trainedOn(facts);
      const general = blocks(facts.of('eval')).filter(
        (checked) => hasBaseline(checked) && !domain.has(facts.dataUnder(checked, 'dataset')),
      );
      return each(
        general,
        'write an `eval` stage `using forgetting` with `baseline` over general rows that nothing trains on: `sample(general)`, or those of `mmlu` or `hellaswag`',
        (checked) => done(facts.setting(checked, 'dataset'), ...metricsText(facts, checked)),
      );
    },
  },
  {
    id: 'safety',
    text: 'Harmful output is tested for',
    answer(facts) {
      const asking = blocks(facts.of('eval')).filter(
        ({ stage, block }) => asksForHarm(stage) || SAFETY_NAME.test(block.name.text),
      );
      return each(
        asking,
        'write an `eval` stage `using safety` over `sample(safety)`, or over prompts of your own',
        (checked) => done(facts.setting(checked, 'dataset'), ...metricsText(facts, checked)),
      );
    },
  },
  {
    id: 'merge_or_adapter',
    text: 'It is decided whether the adapter is merged or served apart',
    answer: (facts) =>
      each(
        blocks(facts.of('deploy')),
        'write a `deploy` stage: of a merged model, or of the adapter',
        (checked) => {
          const served = facts.stage(referenceIn(checked, 'model')?.stage)?.stage.kind;
          const what =
            served === 'merge'
              ? 'the adapter is merged'
              : 'what was trained is served as it is, over its base';
          return done(facts.setting(checked, 'model'), { text: what });
        },
      ),
  },
  {
    id: 'serving_compatibility',
    text: 'Serving frameworks can load it',
    answer: (facts) =>
      released(facts, ({ folder, manifest }) => {
        const ways = Object.keys(manifest?.files ?? {}).filter((name) =>
          /^serve\/.*(\.sh|Modelfile)$/.test(name),
        );
        return ways.length === 0
          ? waiting(`run the pipeline: \`${folder}\` has no release that says how it is served`)
          : done({ text: `${folder}/current has ${ways.join(', ')}, made from what is in it` });
      }),
  },
];

/** Of every folder of releases; a target elsewhere is somebody else's to know. */
function released(facts: Facts, answer: (releases: Facts['releases'][number]) => Answer): Answer {
  if (facts.of('deploy').length === 0) return open('write a `deploy` stage');
  if (facts.releases.length === 0)
    return unknown('nothing is published into a folder: ask where the releases are, such as the Hub');
  const answers = facts.releases.map(answer);
  return (
    answers.find(({ state }) => state !== 'done') ?? done(...answers.flatMap(({ evidence }) => evidence))
  );
}

const DEPLOYMENT: readonly Omit<Item, 'phase'>[] = [
  {
    id: 'ab_test',
    text: 'The new model is tried next to the present one',
    answer(facts) {
      const written = facts.of('deploy').filter(({ stage }) => stage.settings['canary'] !== undefined);
      if (written.length > 0) return done(...written.map((checked) => facts.setting(checked, 'canary')));
      return released(facts, ({ folder, canary }) =>
        canary === undefined
          ? open(
              `write \`canary = 10%\` in the \`deploy\` stage: \`ftpc ab ${shellWord(folder)}\` then says which one is better`,
            )
          : done({ text: `${folder} gives ${Math.round(canary * 100)}% of the requests to another release` }),
      );
    },
  },
  {
    id: 'rollback',
    text: 'There is a way back',
    answer: (facts) =>
      released(facts, ({ folder, numbers }) =>
        numbers.length === 0
          ? waiting(`run the pipeline: \`${folder}\` has no release yet`)
          : done({
              text:
                numbers.length === 1
                  ? `\`ftpc rollback ${shellWord(folder)}\` goes back, once there is a second release`
                  : `\`ftpc rollback ${shellWord(folder)}\` goes back; releases: ${numbers.join(', ')}`,
            }),
      ),
  },
  {
    id: 'monitoring',
    text: 'Quality, latency and errors are monitored',
    answer: (facts) =>
      released(facts, ({ folder, served }) =>
        served
          ? done({
              text: `\`ftpc serve ${shellWord(folder)}\` has answered: its journal is in ${folder}/traffic, its page is /dashboard`,
            })
          : waiting(
              `\`ftpc serve ${shellWord(folder)}\` answers, with a dashboard and metrics: it is done once that has; where something else serves it, its operators know`,
            ),
      ),
  },
  {
    id: 'versions',
    text: 'Each release names the adapter and the base that it is made of',
    answer: (facts) =>
      released(facts, ({ folder, manifest }) => {
        if (manifest === undefined) return waiting(`run the pipeline: \`${folder}\` has no current release`);
        const { release, base, adapter } = manifest;
        const from = `${base.label} (${base.sha256.slice(0, 12)})`;
        const trained =
          adapter === null
            ? ''
            : `, adapter \`${'stage' in adapter ? adapter.stage : adapter.folder}\` (${adapter.sha256.slice(0, 12)})`;
        return done({ text: `release ${release}: base ${from}${trained}` });
      }),
  },
];

const inPhase = (phase: Phase, items: readonly Omit<Item, 'phase'>[]): readonly Item[] =>
  items.map((item) => ({ ...item, phase }));

export const ITEMS: readonly Item[] = [
  ...inPhase('before training', BEFORE),
  ...inPhase('during training', DURING),
  ...inPhase('after training', AFTER),
  ...inPhase('deployment', DEPLOYMENT),
];
