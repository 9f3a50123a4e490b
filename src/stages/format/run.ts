import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { UserError } from '../../diagnostics/types.js';
import type { Call } from '../../ir/types.js';
import { openModel } from '../../models/load.js';
import { readDataRows } from '../data/rows.js';
import { splitNames } from '../data/split.js';
import { resolveModel } from '../models.js';
import { RowReport } from '../row-report.js';
import type { RunStage, StageContext } from '../types.js';
import { openEncoder, type RowEncoder } from './encoder.js';
import type { FormatInfo, SplitInfo } from './rows.js';
import type { FormatSettings } from './schema.js';
import { SplitWriter } from './writer.js';

/** Rows between two looks at signals and two progress events. */
const STRIDE = 256;

/** Writes every row of the data stage out as text and tokens; rows that can't be are in the report with their place. */
export const run: RunStage = async (context) => {
  const { stage, host, inputs, output } = context;
  const settings = stage.settings as unknown as FormatSettings;
  const data = inputs[settings.from.stage];
  if (data === undefined) throw new Error(`stage ${settings.from.stage} handed on no rows`);
  const folder = resolveModel(settings.model as Call, context).folder;
  const encoder = await openEncoder(host, openModel(host, folder), settings);

  const total = data.result.metrics['rows'] ?? 0;
  const all = new SplitWriter(output, 'all');
  const files = new Map<string, number>();
  const report = new RowReport(output);
  const splits: Record<string, SplitInfo> = {};
  let read = 0;
  let keptRows = 0;
  for (const split of splitNames) {
    const writer = new SplitWriter(output, split);
    for (const { file, line, row } of readDataRows(host, data.path, split)) {
      if (read % STRIDE === 0) await pause(context, read, total);
      read++;
      const outcome = encoder.encode(row);
      if ('reason' in outcome) {
        report.drop({ file, line, ...outcome });
        continue;
      }
      keptRows++;
      if (outcome.tokens > settings.max_length) {
        const detail = `${settings.overflow === 'split' ? 'split' : 'cut'}: ${outcome.tokens} tokens, at most ${settings.max_length} are allowed`;
        report.warn({ file, line, reason: 'too_long', detail });
      }
      const origin = { file, fileIndex: indexOf(files, file), line, ...kindOf(row) };
      for (const piece of outcome.kept) {
        writer.add(piece, outcome.rendered, origin);
        all.add(piece, outcome.rendered, origin);
      }
    }
    splits[split] = writer.close();
  }
  splits['all'] = all.close();
  const counts = report.close(keptRows);
  if (keptRows === 0) throw nothingKept(context, counts.rows, settings);

  output.write('format.json', `${JSON.stringify(formatInfo(folder, encoder, files, splits), null, 2)}\n`);
  return {
    outputs: { report: 'report.json', format: 'format.json' },
    metrics: {
      rows: keptRows,
      dropped: counts.rows === 0 ? 0 : report.dropped / counts.rows,
      tokens: splits['all'].tokens,
      longest: splits['all'].longest,
    },
  };
};

async function pause({ stage, emit, signal }: StageContext, done: number, total: number): Promise<void> {
  emit({ type: 'stage.progress', stage: stage.name, done, total, unit: 'rows', label: 'writing rows out' });
  await turn();
  signal.throwIfAborted();
}

function indexOf(files: Map<string, number>, file: string): number {
  const known = files.get(file);
  if (known !== undefined) return known;
  files.set(file, files.size);
  return files.size - 1;
}

function kindOf(row: Readonly<Record<string, unknown>>): { readonly kind?: string } {
  const kind = row['kind'];
  return typeof kind === 'string' ? { kind } : {};
}

function formatInfo(
  folder: string,
  { tokenizer, templateSource, stopIds, padId }: RowEncoder,
  files: ReadonlyMap<string, number>,
  splits: Readonly<Record<string, SplitInfo>>,
): FormatInfo {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const vocabulary = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenOf(id) ?? '');
  return {
    version: 1,
    tokenizer: { folder, sha256: sha256(vocabulary.join('\n')) },
    template: { sha256: sha256(templateSource) },
    files: [...files.keys()],
    splits,
    stopIds,
    padId,
  };
}

function nothingKept({ stage }: StageContext, rows: number, settings: FormatSettings): UserError {
  return new UserError({
    code: 'FTP0621',
    severity: 'error',
    message:
      rows === 0
        ? `stage \`${stage.name}\` got no rows from \`${settings.from.stage}\``
        : `stage \`${stage.name}\` kept none of ${rows} rows`,
    at: stage.span,
    help: `raise \`max_length\` (now ${settings.max_length}tok), or look at a row with \`ftpc preview\``,
  });
}
