/** What the checklist looks at: the checked pipeline, its plan, its newest run and what it has released. */
import { resolve } from 'node:path';
import type { ReleaseManifest } from '../../../compute/packaging/manifest.js';
import { propertyOf, referenceIn } from '../../../language/check/stage-settings.js';
import type { CheckedStage } from '../../../language/check/stages.js';
import { valueText } from '../../../language/check/value-text.js';
import type { Disk } from '../../../language/host/disk.js';
import type { Host } from '../../../language/host/host.js';
import type { Program, StageKind } from '../../../language/ir/program.js';
import { isCall } from '../../../language/ir/values.js';
import type { TermsOf } from '../../../language/schemas/licences.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { Span } from '../../../language/source/span.js';
import type { SourceMap } from '../../../language/source/text.js';
import { readCanary } from '../../../pipeline/deploy/canary.js';
import { listReleases } from '../../../pipeline/deploy/releases.js';
import type { Plan, PlannedStage } from '../../../pipeline/planner/plan-json.js';
import { openModels } from '../../../pipeline/planner/stage-models.js';
import { rowLicences } from '../../../pipeline/stages/data/licences.js';
import type { Run, RunStage } from '../runs/index.js';
import { type FilePlace, placeOf } from '../settings/setting-places.js';

export interface Evidence {
  readonly text: string;
  /** Where the file says so. */
  readonly at?: FilePlace;
}

/** `open`: `todo` says what to write; `waiting`: a run does it; `unknown`: nothing here can tell, `todo` says who can. */
export interface Answer {
  readonly state: 'done' | 'open' | 'waiting' | 'unknown';
  readonly evidence: readonly Evidence[];
  readonly todo?: string;
}

/** A folder of releases. */
interface Releases {
  /** As the file has it. */
  readonly folder: string;
  readonly numbers: readonly number[];
  /** Of the current one. */
  readonly manifest?: ReleaseManifest;
  /** Share of the requests that another release gets. */
  readonly canary?: number;
  /** `ftpc serve` has answered from it. */
  readonly served: boolean;
}

export interface Facts {
  of(kind: StageKind): readonly CheckedStage[];
  stage(name: string | undefined): CheckedStage | undefined;
  planned(name: string): PlannedStage | undefined;
  /** What the newest run did with a stage. */
  ran(name: string): RunStage | undefined;
  readonly run: string | undefined;
  /** `dedupe = [exact]`, and where it is written; of a default without a place. */
  setting(checked: CheckedStage, key: string): Evidence;
  /** The data stage under a setting that takes rows. */
  dataUnder(checked: CheckedStage, key: string): CheckedStage | undefined;
  /** Licence of the model that a stage begins with, as its card has it. */
  licence(checked: CheckedStage): string | undefined;
  /** Licences of the rows of a data stage, by source. */
  rowLicences(checked: CheckedStage): ReturnType<typeof rowLicences>;
  readonly terms: TermsOf;
  /** Of each deploy stage that publishes into a folder. */
  readonly releases: readonly Releases[];
}

/** The text of a place, on one line. */
const writtenAt = ({ file, start, end }: Span, sources: SourceMap): string =>
  (sources.get(file)?.text.slice(start, end) ?? '').replace(/\s+/g, ' ');

export interface FactsInput {
  readonly host: Host;
  readonly disk: Disk;
  readonly program: Program;
  readonly plan: Plan;
  readonly stages: readonly CheckedStage[];
  readonly sources: SourceMap;
  readonly run: Run | undefined;
  readonly terms: TermsOf;
}

export function factsOf({ host, disk, program, plan, stages, sources, run, terms }: FactsInput): Facts {
  const models = openModels(program, host);
  const stage = (name: string | undefined) => stages.find((checked) => checked.stage.name === name);
  const readFrom = (checked: CheckedStage | undefined, key: string) =>
    checked && stage(referenceIn(checked, key)?.stage);
  return {
    of: (kind) => stages.filter((checked) => checked.stage.kind === kind),
    stage,
    planned: (name) => plan.stages.find((planned) => planned.name === name),
    ran: (name) => run?.stages.find((ran) => ran.name === name),
    run: run?.id,
    setting(checked, key) {
      const [first = ''] = key.split('.');
      const property = propertyOf(checked, first);
      const value = checked.stage.settings[first];
      const text = `${first} = ${property === undefined ? valueText(value ?? null, checked.schema.settings[first]?.type) : writtenAt(property.value.span, sources)}`;
      const at = property && placeOf(property.key.span, sources);
      return { text: `\`${text}\` of \`${checked.block.name.text}\``, ...(at && { at }) };
    },
    dataUnder: (checked, key) => readFrom(readFrom(checked, key), 'from'),
    licence(checked) {
      try {
        return models.of(checked.stage.settings['base'])?.folder.licence();
      } catch {
        // what is wrong with the model is in the plan
        return undefined;
      }
    },
    rowLicences({ stage: { name, kind, settings } }) {
      // the sources of the program are pinned
      const pinned = program.stages.find((stage) => stage.name === name) ?? { kind, settings };
      return rowLicences(settingsOf(pinned, 'data'), program.folder, host);
    },
    terms,
    releases: stages.flatMap(({ stage: { kind, settings } }): readonly Releases[] => {
      const { target } = settings;
      if (kind !== 'deploy' || !isCall(target) || target.call !== 'directory') return [];
      const written = String(target.args['path']);
      const folder = resolve(host.cwd, written);
      const all = listReleases({ host, disk }, folder);
      return [
        {
          folder: written,
          numbers: all.map(({ number }) => number),
          manifest: all.find(({ current }) => current)?.manifest,
          canary: readCanary({ host, disk }, folder)?.share,
          served: host.stat(`${folder}/traffic`) !== undefined,
        },
      ];
    }),
  };
}
