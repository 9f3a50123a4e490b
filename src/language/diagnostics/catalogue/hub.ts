/** FTP140x–141x: models and data sets of a hub. */
import type { Span } from '../../source/span.js';
import { counted, error, info, warning } from '../make.js';

export const badRepository = (at: Span, id: string) =>
  error('FTP1401', at, `\`${id}\` cannot be the name of a repository`, {
    label: 'not `org/name`',
    help: 'write the name as shown on the model\'s page: letters, digits, `-`, `_` and `.`, with one slash; a folder is named with `local("…")`',
  });

export const badRevision = (at: Span, revision: string) =>
  error('FTP1402', at, `\`${revision}\` cannot be a revision`, {
    label: 'not a branch, tag or commit',
    help: 'write a branch or tag such as `main`, or the 40 hexadecimal digits of a commit',
  });

interface Repository {
  readonly kind: 'model' | 'dataset';
  readonly id: string;
  readonly revision: string;
}

const NOUN = { model: 'model', dataset: 'data set' } as const;
const FUNCTION = { model: 'hf', dataset: 'hub' } as const;

export const offlineMissing = (repository: Repository, files: readonly string[]) =>
  error('FTP1404', undefined, {
    message: `${files.length === 0 ? `the ${NOUN[repository.kind]} \`${repository.id}\`` : `\`${files[0]}\` of \`${repository.id}\``} is not in the cache, and HF_HUB_OFFLINE stops ftpc from contacting the Hub`,
    notes: files.length > 1 ? [`${files.length} files are missing`] : [],
    help: 'unset HF_HUB_OFFLINE once, or copy the cache folder from a machine that has the files',
  });

/** The code of a file in the cache that was damaged after it was compared with what the Hub lists. */
export const HUB_FILE_DAMAGED = 'FTP1415';

/** `what` begins with the file. */
export const hubFileDamaged = (repository: string, what: string) =>
  error(HUB_FILE_DAMAGED, undefined, {
    message: `a file of \`${repository}\` in the cache is damaged: ${what}`,
    help: 'run again: it is downloaded again; if this repeats, check the disk',
  });

export const offlineDamaged = ({ id }: Repository, file: string, detail: string) =>
  error('FTP1416', undefined, {
    message: `\`${file}\` of \`${id}\` in the cache is not what the Hub lists, and HF_HUB_OFFLINE stops ftpc from downloading it again`,
    notes: [detail],
    help: 'unset HF_HUB_OFFLINE once, or copy the file from a machine that has it',
  });

export const unreachable = (endpoint: string, detail: string) =>
  error('FTP1405', undefined, `the Hub at ${endpoint} cannot be reached`, {
    notes: [detail],
    help: 'run again: what was downloaded is kept; without a network, copy the cache of another machine, or put the files into a folder and name it: a model with `local("…")`, rows with `jsonl("…")`',
  });

/** As {@link unreachable}, where a release is published. */
export const unreachableToPublish = (endpoint: string, detail: string) =>
  error('FTP1405', undefined, `the Hub at ${endpoint} cannot be reached`, {
    notes: [detail],
    help: 'run again: what was uploaded is not sent again, and a release that is there already is not published twice',
  });

/** `wait`: how long, in words; `detail`: what it answered. A run does not try again by itself: the next tries come too early. */
export const asksToWait = (endpoint: string, wait: string, detail: string) =>
  error('FTP1417', undefined, `the Hub at ${endpoint} asks to be asked again in ${wait}`, {
    notes: [detail],
    help: 'run again after that: what was downloaded or uploaded is kept; whoever sends a token may ask more often, and what `ftpc lock` has recorded and the cache holds is not asked for',
  });

export const usedFromCache = (repository: Repository, commit: string) =>
  warning('FTP1406', undefined, {
    message: `the Hub cannot be asked now: \`${repository.id}\` is used as last fetched, at commit ${commit.slice(0, 12)}`,
    help: '`ftpc lock` records the commit, so that the Hub need not be asked',
  });

export const noAccess = (
  repository: Repository,
  { gated, withToken }: { readonly gated: boolean; readonly withToken: boolean },
) =>
  error('FTP1407', undefined, {
    message: gated
      ? `\`${repository.id}\` is gated: its owner must grant you access`
      : `the Hub gives no access to \`${repository.id}\``,
    notes: withToken
      ? ['a token was sent']
      : ['no token was sent: none is declared, or its variable is not set'],
    help: gated
      ? `accept its conditions on the page of the ${NOUN[repository.kind]}, then use a token of that account`
      : `check the name; for a private ${NOUN[repository.kind]} declare \`secret hub_token = env("HF_TOKEN")\`, and write \`${FUNCTION[repository.kind]}("${repository.id}", token: hub_token)\``,
  });

export const notOnHub = (
  repository: Repository,
  missing: 'repository' | 'revision' | { readonly file: string },
) => {
  const noun = NOUN[repository.kind];
  if (missing === 'repository')
    return error('FTP1408', undefined, `the Hub has no ${noun} \`${repository.id}\``, {
      help: `check the name; without a token, a private ${noun} looks the same`,
    });
  const what = missing === 'revision' ? `revision \`${repository.revision}\`` : `file \`${missing.file}\``;
  return error('FTP1408', undefined, `\`${repository.id}\` has no ${what}`, {
    help: missing === 'revision' ? 'use a branch, tag or commit of this repository' : 'use another revision',
  });
};

export const failedAnswer = (repository: Repository, detail: string) =>
  error('FTP1409', undefined, `the Hub refused a request for \`${repository.id}\`: ${detail}`, {
    help: 'try again later; `HF_ENDPOINT` names another server',
  });

export const badAnswer = (url: string, detail: string) =>
  error('FTP1409', undefined, `${url} sent an invalid response: ${detail}`, {
    help: 'check `HF_ENDPOINT` and any proxies: something other than a Hub answered',
  });

export const hostileName = (url: string, name: string) =>
  error('FTP1410', undefined, {
    message: `${url} lists a file that would be written outside its folder: ${JSON.stringify(name.slice(0, 100))}`,
    help: 'nothing was written; do not use this repository',
  });

export const wrongContent = (repository: Repository, file: string, detail: string) =>
  error('FTP1411', undefined, {
    message: `\`${file}\` of \`${repository.id}\` does not match what the Hub lists: ${detail}`,
    help: 'the download was discarded; run again, and check proxies if this repeats',
  });

export const noUsableFiles = (repository: Repository, lacking: string, notes: readonly string[] = []) =>
  error('FTP1412', undefined, `\`${repository.id}\` has ${lacking}`, {
    notes,
    help:
      repository.kind === 'model'
        ? 'choose a model that is published as safetensors, with config.json and tokenizer.json'
        : 'choose files with `files: "…"`, or another `split`; JSON, JSON lines, CSV and Parquet can be read',
  });

/** Sizes as the Hub shows them: decimal. */
const megabytes = (bytes: number): string =>
  bytes < 1e6
    ? `${Math.ceil(bytes / 1e3)} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(0)} MB`
      : `${(bytes / 1e9).toFixed(2)} GB`;

export const toFetch = ({
  id,
  files,
  bytes,
}: {
  readonly id: string;
  readonly files: number;
  readonly bytes: number;
}) =>
  info('FTP1413', undefined, {
    message: `${megabytes(bytes)} of \`${id}\` in ${counted(files, 'file')} are not on this machine yet; the run downloads them`,
  });

interface Shape {
  readonly model: string;
  readonly source: string;
  readonly bytes: number;
  readonly hasTokenizer: boolean;
  readonly isQuantised: boolean;
  readonly stored?: {
    readonly format: string;
    readonly bytes: number;
    readonly reader: string;
    readonly config: string;
  };
}

/** `why`: what the Hub, or its cache, says. */
export const plannedByShape = (
  { model, source, bytes, hasTokenizer, isQuantised, stored }: Shape,
  why?: string,
) =>
  info('FTP1940', undefined, {
    message: `\`${model}\` is planned by its shape alone: its ${why === undefined ? 'weights' : 'files'} are not here`,
    notes: [
      ...(why === undefined ? [] : [why]),
      `shape: ${source}`,
      `a run needs its weights, ${megabytes(stored?.bytes ?? bytes)}`,
      ...(stored === undefined
        ? []
        : [
            `its files hold most of them in ${stored.format}; the plan takes them as bfloat16, ${megabytes(bytes)}, which transformers makes of them where no kernel computes with ${stored.format}`,
            `a run reads a copy without it: \`${stored.reader}.from_pretrained("${model}", dtype="bfloat16", quantization_config=${stored.config}(dequantize=True)).save_pretrained("FOLDER")\`, then \`local("FOLDER")\``,
          ]),
      ...(isQuantised ? ['its files hold weights in 4 bits; the plan takes them as they were before'] : []),
      ...(hasTokenizer ? [] : ['without its tokenizer, lengths of rows are estimated from bytes']),
    ],
  });

export const badEndpoint = () =>
  error('FTP1414', undefined, 'the variable HF_ENDPOINT is not the address of a server', {
    help: 'set it to an address such as `https://huggingface.co`, without a name and password in it, or unset it',
  });

export const badToken = (variable: string) =>
  error('FTP1414', undefined, {
    message: `the variable ${variable} is not an access token: it has spaces, line breaks or other characters that tokens never contain`,
    help: 'set it to the token and nothing else',
  });
