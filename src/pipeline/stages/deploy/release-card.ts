/** The model card of a release: what the Hub reads of it, and what people want to know of data, settings and measurements. */
import { parse, stringify } from 'yaml';
import { cell, factTable } from '../../../compute/packaging/model-card.js';
import { valueText } from '../../../language/check/value-text.js';
import { isJson } from '../../../language/host/json.js';
import type { Stage, Value } from '../../../language/ir/program.js';
import { isCall, isList, isRecord } from '../../../language/ir/values.js';
import { repositoryOf } from '../../../language/schemas/repositories.js';
import { schemas } from '../../../language/schemas/stages/index.js';
import type { ManifestDraft } from '../../deploy/publish.js';

interface CardRequest {
  /** Name on the Hub. */
  readonly name: string;
  /** README.md of the model or adapter, if it has one. */
  readonly before: string | undefined;
  readonly draft: ManifestDraft;
  /** Stages that it came from. */
  readonly stages: readonly Stage[];
  /** Name of the base on the Hub; `undefined`: it is from elsewhere. */
  readonly baseId: string | undefined;
  readonly licence: string | undefined;
  /** Licences of the rows of a data stage. */
  readonly rowLicencesOf: (stage: Stage) => readonly string[];
  /** It is one GGUF file, which transformers does not load by itself. */
  readonly isGguf: boolean;
}

/** The same input gives the same text. */
export function releaseCard(request: CardRequest): string {
  const { front, body } = readCard(request.before);
  const sections = [
    dataSection(request),
    settingsSection(request),
    measuredSection(request),
    '## Serving\n\n`serve/` has commands and files for vLLM, Text Generation Inference, llama.cpp and Ollama; `manifest.json` has the digests of\nall files, of the base and of every stage that this release came from.\n',
  ];
  const own = body.trim() === '' ? `# ${request.name}\n` : `${body.trim()}\n`;
  return `---\n${stringify(frontOf(front, request), { lineWidth: 0 })}---\n\n${own}\n${sections.filter((text) => text !== '').join('\n')}`;
}

/** Front matter and text of a card. */
function readCard(text: string | undefined): {
  readonly front: Readonly<Record<string, unknown>>;
  readonly body: string;
} {
  const found = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text ?? '');
  const front: unknown = found?.[1] === undefined ? {} : parse(found[1]);
  return { front: isJson(front) ? front : {}, body: found?.[2] ?? text ?? '' };
}

function frontOf(
  front: Readonly<Record<string, unknown>>,
  request: CardRequest,
): Readonly<Record<string, unknown>> {
  const { baseId, licence, draft, name, isGguf } = request;
  const tags = (Array.isArray(front['tags']) ? front['tags'] : [])
    // they name a base that the Hub does not have
    .filter((tag) => baseId !== undefined || !String(tag).startsWith('base_model:'))
    .map((tag) => String(tag).replace(/^(base_model:\w+:).*$/, `$1${baseId}`));
  const { base_model: _, ...rest } = front;
  const datasets = [
    ...new Set(
      request.stages.flatMap(({ settings }) => [
        ...hubSources(settings['source']),
        ...hubSources(settings['mix']),
      ]),
    ),
  ];
  const results = resultsOf(request);
  return {
    ...(baseId !== undefined && { base_model: baseId }),
    library_name: draft.kind === 'adapter' ? 'peft' : 'transformers',
    ...rest,
    ...(licence !== undefined && { license: licence }),
    ...(datasets.length > 0 && { datasets }),
    ...(isGguf && { library_name: 'gguf' }),
    tags: [
      ...new Set([
        ...tags.filter((tag) => !isGguf || tag !== 'transformers'),
        'ftpc',
        ...(isGguf ? ['gguf'] : []),
        ...(draft.kind === 'adapter' ? ['adapter'] : []),
      ]),
    ],
    ...(results.length > 0 && { 'model-index': [{ name: name.split('/').at(-1), results }] }),
  };
}

function hubSources(value: Value | undefined): readonly string[] {
  if (value === undefined || value === null) return [];
  if (isList(value)) return value.flatMap(hubSources);
  if (!isCall(value)) return isRecord(value) ? Object.values(value).flatMap(hubSources) : [];
  const found = repositoryOf(value);
  return found === undefined ? [] : [found.id];
}

/** Measurements as the Hub's `model-index` has them. */
const resultsOf = ({ draft: { metrics }, stages }: CardRequest) =>
  stages
    .filter(({ kind }) => kind === 'eval')
    .flatMap(({ name, settings }) => {
      const { dataset } = settings;
      const rows = isPort(dataset) ? `${dataset.stage} (${dataset.port})` : name;
      const values = Object.entries(metrics[name] ?? {}).filter(([, value]) => Number.isFinite(value));
      return values.length === 0
        ? []
        : [
            {
              task: { type: 'text-generation' },
              dataset: { type: isPort(dataset) ? dataset.stage : name, name: rows },
              metrics: values.map(([type, value]) => ({ type, name: type, value })),
            },
          ];
    });

const isPort = (value: Value | undefined): value is { readonly stage: string; readonly port: string } =>
  value !== undefined && value !== null && typeof value === 'object' && 'stage' in value && 'port' in value;

function dataSection({ draft, stages, rowLicencesOf }: CardRequest): string {
  const rows = stages
    .filter(({ kind }) => kind === 'data')
    .flatMap((stage): readonly (readonly [string, string])[] => {
      const count = draft.metrics[stage.name]?.['rows'];
      const digest = draft.data.find((each) => each.stage === stage.name)?.sha256;
      const source = textOf(stage, 'source');
      const licences = rowLicencesOf(stage);
      const facts = [
        ...(licences.length === 0 ? [] : [`licence ${licences.join(', ')}`]),
        ...(count === undefined ? [] : [`${count} rows`]),
        ...(digest === undefined ? [] : [`SHA-256 of the rows \`${digest}\``]),
      ];
      return [[`\`${cell(source)}\``, facts.join(', ')]];
    });
  return rows.length === 0 ? '' : `## Data\n\n${factTable(rows)}\n`;
}

const textOf = ({ kind, settings }: Stage, name: string): string =>
  valueText(settings[name] ?? null, schemas[kind].settings[name]?.type);

/** Those of training that people wrote or that were chosen; what is left at nothing says nothing. */
function settingsSection({ stages }: CardRequest): string {
  return stages
    .filter(({ kind }) => kind === 'train')
    .map((stage) => {
      const rows = Object.entries(stage.settings)
        .filter(([name, value]) => !isNothing(value) && Object.hasOwn(schemas.train.settings, name))
        .map(([name]) => [`\`${name}\``, `\`${cell(textOf(stage, name))}\``] as const);
      return `## Training \`${stage.name}\`\n\n${factTable(rows)}\n`;
    })
    .join('\n');
}

const isNothing = (value: Value): boolean => value === null || (isList(value) && value.length === 0);

function measuredSection({ draft: { metrics, baseline }, stages }: CardRequest): string {
  return stages
    .filter(({ kind, name }) => kind === 'eval' && Object.keys(metrics[name] ?? {}).length > 0)
    .map(({ name }) => {
      const base = baseline[name] ?? {};
      const lines = Object.entries(metrics[name] ?? {}).map(
        ([metric, value]) =>
          `| ${metric} | ${figure(value)} | ${base[metric] === undefined ? '' : figure(base[metric])} |`,
      );
      return `## Evaluation \`${name}\`\n\n| metric | this release | baseline |\n|---|---|---|\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

const figure = (value: number): string => String(Number(value.toPrecision(5)));
