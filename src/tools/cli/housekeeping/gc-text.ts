/** What `ftpc gc` found, for people. */
import { counted } from '../../../language/diagnostics/make.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import { columns } from '../../../pipeline/planner/render/columns.js';
import type { Need } from '../../../pipeline/store/index.js';
import { printable, shortDigest, utcTime } from '../../insight/safe-text.js';
import type { CliContext } from '../cli-context.js';
import type { Tidied } from './tidy.js';

const NEEDS: Readonly<Record<Need, string>> = {
  claimed: 'being made right now',
  release: 'of a release',
  recent_run: 'of a kept run',
  other_user: 'of another user of the store',
  checkpoint: 'of a run with a checkpoint',
  used_lately: 'used lately',
  foreign: 'holds what ftpc did not put there',
};

/** Lines of what goes at most; the rest is a sum. */
const LISTED = 30;

type Row = readonly [size: number, what: string, which: string];

export function gcLines(found: Tidied, { colours, width }: CliContext): readonly string[] {
  const { bold, dim } = colours.out;
  const goes = goingRows(found).toSorted((a, b) => b[0] - a[0]);
  const stays = stayingRows(found);
  const table = (rows: readonly Row[]): readonly string[] =>
    columns(
      rows.map(([size, what, which]) => ['', bytes(size), printable(what), dim(printable(which))]),
      { right: [1], width },
    );
  const shown = goes.slice(0, LISTED);
  const rest = goes.slice(LISTED);
  const more: readonly Row[] = rest.length === 0 ? [] : [[sumOf(rest), `${rest.length} more`, '']];
  return [
    ...(goes.length === 0
      ? []
      : [bold(found.deleted ? 'removed' : 'would go'), ...table([...shown, ...more]), '']),
    ...(stays.length === 0 ? [] : [bold('stays'), ...table(stays), '']),
    ...userLines(found),
    ...(found.skipped.length === 0
      ? []
      : [
          `${counted(found.skipped.length, 'output')} came into use in the meantime and ${found.skipped.length === 1 ? 'stays' : 'stay'}`,
        ]),
    lastLine(found, goes.length),
  ];
}

function lastLine({ deleted, bytes: freed }: Tidied, count: number): string {
  if (count === 0) return 'nothing to remove';
  return deleted ? `freed ${bytes(freed)}` : `${bytes(freed)} would be freed: repeat with \`--delete\``;
}

const goingRows = ({ outputs, checkpoints, runs, leftovers, cache }: Tidied): readonly Row[] => [
  ...outputs.map(
    ({ bytes: size, stage, kind, key }): Row => [
      size,
      `output ${stage ?? kind ?? ''}`.trim(),
      shortDigest(key),
    ],
  ),
  ...checkpoints.map(
    ({ bytes: size, stage, key }): Row => [size, `checkpoint ${stage ?? ''}`.trim(), shortDigest(key)],
  ),
  ...cache.map(
    ({ bytes: size, repository, commit }): Row => [
      size,
      repository.replaceAll('--', '/'),
      commit.slice(0, 8),
    ],
  ),
  ...summed(runs, 'old run', 'journals and reports'),
  ...summed(leftovers, 'leftover', 'of killed runs'),
];

function stayingRows({ kept, keptCheckpoints, keptRuns }: Tidied): readonly Row[] {
  const needs = [...new Set(kept.map(({ need }) => need))];
  return [
    ...needs.flatMap((need) =>
      summed(
        kept.filter((one) => one.need === need),
        'output',
        NEEDS[need],
      ),
    ),
    ...summed(keptCheckpoints, 'checkpoint', 'stages that are not complete: `--checkpoints`'),
    ...summed(keptRuns, 'run', 'journals and reports'),
  ];
}

/** One row for all of a kind; none where there is nothing of it. */
const summed = (all: readonly { readonly bytes: number }[], what: string, which: string): readonly Row[] =>
  all.length === 0 ? [] : [[all.reduce((sum, one) => sum + one.bytes, 0), counted(all.length, what), which]];

const STATES: Readonly<Record<Tidied['users'][number]['state'], string>> = {
  active: '',
  old: 'has not run for long: if it is gone, remove its file',
  gone: 'is gone; what it needed stays for a week',
  forgotten: 'is gone: nothing is kept for it',
};

const userLines = ({ users }: Tidied): readonly string[] =>
  users.flatMap(({ user, host, cwd, at, path, state }) => [
    printable(`${user}@${host} uses the store too, in ${cwd}, last at ${utcTime(at).slice(0, 16)} UTC`),
    ...(STATES[state] === '' ? [] : [printable(`  ${STATES[state]}${state === 'old' ? ` (${path})` : ''}`)]),
  ]);

const sumOf = (rows: readonly Row[]): number => rows.reduce((sum, [size]) => sum + size, 0);
