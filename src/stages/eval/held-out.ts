import { join } from 'node:path';
import type { HeldOut, RowText } from '../../evaluation/held-out.js';
import type { Reference } from '../../ir/types.js';
import { isJson } from '../../models/json-file.js';
import type { Host } from '../../source/host.js';
import type { FormatInfo } from '../format/rows.js';
import type { StageContext } from '../types.js';

/** Numbers of a row in `rows.bin`: offset, tokens, supervised, prompt tokens, file, line. */
const ROW = 6;

/** A split of a format stage as the rows of an evaluation. */
export function openHeldOut(
  { stage, port }: Reference,
  { inputs, host }: Pick<StageContext, 'inputs' | 'host'>,
): HeldOut {
  const artefact = inputs[stage];
  if (artefact === undefined) throw new Error(`stage ${stage} handed on no rows`);
  const folder = artefact.path;
  const info = JSON.parse(host.readText(join(folder, 'format.json'))) as FormatInfo;
  const table = floats(host, join(folder, `${port}.rows.bin`));
  const texts = rowTexts(host.readText(join(folder, `${port}.text.jsonl`)));
  const tokensPath = join(folder, `${port}.tokens.bin`);
  const field = (row: number, at: number): number => table[row * ROW + at] ?? 0;
  return {
    tokens: {
      count: table.length / ROW,
      lengthOf: (row) => field(row, 1),
      read(row) {
        const bytes = host.readBytes(tokensPath, field(row, 0) * 8, field(row, 1) * 8);
        const pairs = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const part = (offset: number): Int32Array =>
          Int32Array.from({ length: field(row, 1) }, (_, i) => pairs.getInt32(i * 8 + offset, true));
        return { ids: part(0), labels: part(4) };
      },
    },
    text: (row) => texts[row] ?? { prompt: '', answer: '', file: '', line: 0 },
    promptTokens: (row) => field(row, 3),
    stopIds: info.stopIds,
    padId: info.padId,
  };
}

function floats(host: Host, path: string): Float64Array {
  const bytes = host.readBytes(path);
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function rowTexts(jsonl: string): readonly RowText[] {
  return jsonl
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const row: unknown = JSON.parse(line);
      if (!isJson(row)) throw new Error(`no object in a text row: ${line}`);
      const { prompt, answer, file, line: number, kind } = row;
      return {
        prompt: String(prompt),
        answer: String(answer),
        file: String(file),
        line: Number(number),
        ...(typeof kind === 'string' ? { kind } : {}),
      };
    });
}
