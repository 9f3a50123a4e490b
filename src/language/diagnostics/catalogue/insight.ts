/** FTP15xx: questions about a pipeline and its runs that cannot be answered. */
import { nearest } from '../did-you-mean.js';
import { error, named, warning, wholeFile } from '../make.js';

/** Names that are listed if none is similar. */
const LISTED = 12;

function known(name: string, names: readonly string[], what: string, none: string): string {
  const meant = names.length === 1 ? names[0] : nearest(name, names);
  if (meant !== undefined) return `did you mean \`${meant}\`?`;
  if (names.length === 0) return none;
  const shown = names.slice(0, LISTED);
  const more = names.length - shown.length;
  return `${what} ${named(shown, 'and')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** `others`: other valid names, such as those of parameters. */
export const noSuchStage = (
  file: string,
  name: string,
  stages: readonly string[],
  others: readonly string[] = [],
) =>
  error('FTP1501', wholeFile(file), `the pipeline has no stage \`${name}\``, {
    help: known(
      name,
      [...stages, ...others],
      others.length > 0 ? 'its names are' : 'its stages are',
      'it has no stages',
    ),
  });

/** `adapter`, if a matrix makes `adapter@rate=1e-4` and others of it. */
export const severalStages = (file: string, name: string, instances: readonly string[]) =>
  error('FTP1501', wholeFile(file), {
    message: `the pipeline has no stage \`${name}\`, but a matrix makes several stages of it`,
    help: `name one of them: ${named(instances.slice(0, LISTED))}${instances.length > LISTED ? ', …' : ''}`,
  });

export const noSuchSetting = (file: string, where: string, name: string, settings: readonly string[]) =>
  error('FTP1502', wholeFile(file), `${where} has no setting \`${name}\``, {
    help: known(name, settings, 'its settings are', 'it has no settings'),
  });

export const noRuns = (pipeline?: string) =>
  error('FTP1503', undefined, {
    message:
      pipeline === undefined
        ? 'nothing has been run in this folder'
        : `\`${pipeline}\` has not been run in this folder`,
    help: 'runs are kept in `.ftp/runs` of the folder where `ftpc run` was called: go there, or run the pipeline first',
  });

export const noSuchRun = (asked: string, runs: readonly string[]) =>
  error('FTP1504', undefined, `there is no run \`${asked}\``, {
    help: known(asked, runs, 'the newest runs are', 'this folder has no runs'),
    notes: ['refer to a run by its id, by the beginning of its id, or as `latest`, `latest~1`, …'],
  });

export const ambiguousRun = (asked: string, matches: readonly string[]) =>
  error('FTP1505', undefined, `\`${asked}\` is the beginning of ${matches.length} runs`, {
    help: `write more of the id: ${named(matches.slice(0, LISTED))}`,
  });

/** Damaged lines are skipped; the rest is shown. */
export const damagedJournal = (path: string, lines: readonly number[], torn: boolean) =>
  warning(
    'FTP1506',
    { file: path, line: lines[0] ?? 0, column: 0 },
    {
      message:
        torn && lines.length === 1
          ? 'the last line of this journal was cut off'
          : `${lines.length === 1 ? 'a line' : `${lines.length} lines`} of this journal cannot be read`,
      notes:
        lines.length > 1
          ? [`lines ${lines.slice(0, LISTED).join(', ')}${lines.length > LISTED ? ', …' : ''}`]
          : [],
      help: torn
        ? 'the run was killed while writing; everything before that line is shown'
        : 'something other than ftpc wrote to the file; the lines that can be read are shown',
    },
  );

export const badQuery = (detail: string, views: readonly string[]) =>
  error('FTP1507', undefined, 'the query cannot be run', {
    notes: [detail],
    help: `there are ${named(views, 'and')}; \`ftpc metrics --views\` lists their columns`,
  });

export const queryOutside = (detail: string) =>
  error('FTP1508', undefined, 'the query reads something other than the runs', {
    notes: [detail],
    help: 'a query can only read the views: no files, no network, no extensions; to save the result, redirect the output of `--csv` or `--json`',
  });

export const noDatabase = (detail: string) =>
  error('FTP1509', undefined, 'DuckDB cannot be loaded on this machine', {
    notes: [detail],
    help: 'install it for this platform: `npm install @duckdb/node-api`; everything but `ftpc metrics --sql` works without it',
  });

export const noSuchMetric = (name: string, metrics: readonly string[]) =>
  error('FTP1510', undefined, `no run has the metric \`${name}\``, {
    help: known(name, metrics, 'there are', 'these runs have no metrics'),
  });
