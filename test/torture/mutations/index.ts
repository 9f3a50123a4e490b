/** Spoilt models, tokenizers, data, adapters and pipelines: accepted or refused, and nothing else. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pool } from '../cases/pool.js';
import type { Kind, TortureOptions } from '../kind.js';
import { ftpc, isTrace } from '../project.js';
import { mutationOf, spoilt } from './cases.js';

export const mutations: Kind = {
  doc: 'spoilt models, tokenizers, data, adapters and pipelines: accepted, or refused with a code',
  count: 20_000,
  short: 200,
  open: async (options) => ({
    cases: options.count,
    batch: 50,
    ...pool(new URL('./cases.js', import.meta.url).href, options, (number, how) =>
      alone(number, how, options),
    ),
  }),
};

/** A case by the command line, as a user would meet it. */
async function alone(
  number: number,
  how: string,
  { seed, folder }: TortureOptions,
): Promise<string | undefined> {
  const mutation = mutationOf(seed, number);
  const { name, subject, file } = mutation;
  const place = join(folder, `alone-${number}`);
  mkdirSync(place, { recursive: true });
  try {
    await subject.prepare(place);
    writeFileSync(join(place, file.path), spoilt(mutation, place));
    const ended = await ftpc(place, subject.words(file.path));
    const { code, out, err } = ended;
    const said = `${out}\n${err}`;
    if (!ended.hung && !isTrace(ended) && (code === 0 || (code === 1 && /FTP\d{4}/.test(said))))
      return undefined;
    const end = ended.hung ? 'it does not end' : `it ended with ${code ?? ended.signal}`;
    return `${name}, ${file.path}: ${end}: ${err.slice(0, 500)} (${how.slice(0, 400)})`;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
