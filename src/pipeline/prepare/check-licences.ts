/** Rows and bases whose licence forbids what the pipeline declares to be for: before anything is trained. */
import type { Analysis } from '../../language/compile.js';
import { forbidsUse } from '../../language/diagnostics/catalogue/files.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { Program, Stage } from '../../language/ir/program.js';
import { licenceTerms, type TermsOf } from '../../language/schemas/licences.js';
import { valueAt } from '../../language/schemas/setting-paths.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import type { Span } from '../../language/source/span.js';
import { placeOf } from '../lock/index.js';
import { openModels } from '../planner/stage-models.js';
import { licencesOf } from '../stages/data/licences.js';
import { sourceCalls, sourceName } from '../stages/data/sources.js';

interface LicenceCheck {
  readonly program: Program;
  readonly analysis: Analysis;
  readonly host: Host;
  readonly terms: TermsOf;
}

export async function checkLicences(
  program: Program,
  analysis: Analysis,
  host: Host,
): Promise<readonly Diagnostic[]> {
  const sold = program.stages.filter(
    (stage) => stage.kind === 'data' && settingsOf(stage, 'data').use === 'commercial',
  );
  if (sold.length === 0) return [];
  const check: LicenceCheck = { program, analysis, host, terms: await licenceTerms() };
  const bases = program.stages.filter((stage) => {
    const rows = stage.kind === 'train' ? rowsUnder(stage, program) : undefined;
    return rows !== undefined && sold.includes(rows);
  });
  const found = [
    ...sold.flatMap((data) => ofRows(data, check)),
    ...bases.flatMap((train) => MODELS.flatMap((path) => ofModel(train, path, check))),
  ];
  // a matrix makes several stages of one block
  const places = new Set<string>();
  return found.filter(({ at }) => {
    const place = JSON.stringify(at);
    return !places.has(place) && places.add(place);
  });
}

const placeIn = ({ analysis }: LicenceCheck, stage: Stage, path: string): Span =>
  placeOf(analysis, stage.name, path) ?? stage.span;

/** What the stage declares comes before what is next to the files. */
function ofRows(data: Stage, check: LicenceCheck): readonly Diagnostic[] {
  const { program, host, terms } = check;
  const settings = settingsOf(data, 'data');
  const use = placeIn(check, data, 'use');
  const { license } = settings;
  if (license !== undefined)
    return terms(license) === 'non_commercial'
      ? [
          forbidsUse(placeIn(check, data, 'license'), {
            of: `the rows of \`${data.name}\``,
            licence: license,
            use,
          }),
        ]
      : [];
  return sourceCalls(settings).flatMap(({ path, call }) =>
    licencesOf(call, program.folder, host)
      .filter(({ licence }) => terms(licence) === 'non_commercial')
      .map(({ licence, file }) =>
        forbidsUse(placeIn(check, data, path), { of: `\`${sourceName([call])}\``, licence, file, use }),
      ),
  );
}

/** Paths of the models that a training learns from. */
const MODELS = ['base', 'objective.reference'] as const;

function ofModel(train: Stage, path: (typeof MODELS)[number], check: LicenceCheck): readonly Diagnostic[] {
  const { program, host, terms } = check;
  const data = rowsUnder(train, program);
  const licence = openModels(program, host).of(valueAt(train.settings, path))?.folder.licence();
  if (data === undefined || licence === undefined || terms(licence) !== 'non_commercial') return [];
  const use = placeIn(check, data, 'use');
  const of = `the ${path.split('.').at(-1)} of \`${train.name}\``;
  return [forbidsUse(placeIn(check, train, path), { of, licence, file: 'its model card', use })];
}

/** The data stage that a training reads. */
function rowsUnder(train: Stage, { stages }: Program): Stage | undefined {
  const format = stages.find(({ name }) => name === settingsOf(train, 'train').dataset.stage);
  return format?.kind === 'format'
    ? stages.find(({ name }) => name === settingsOf(format, 'format').from.stage)
    : undefined;
}
