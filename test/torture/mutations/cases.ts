/** Spoilt files that are read in this process: accepted, or refused with a diagnostic that has a code. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { userProblem } from '../../../src/compute/models/user-problem.js';
import { OutOfMemoryError, translateHostError } from '../../../src/compute/tensor/out-of-memory.js';
import { type Random, randomFrom } from '../../language/formatter/mangle.js';
import type { Cases } from '../cases/cases.js';
import type { TortureOptions } from '../kind.js';
import { original, type SpoiltFile, SUBJECTS, type Subject } from './subjects.js';
import { pick } from './ways.js';

/** The subjects in turn, each as often as its share says. */
const TURNS: readonly (readonly [name: string, subject: Subject])[] = turns();

function turns(): readonly (readonly [string, Subject])[] {
  const all = Object.entries<Subject>(SUBJECTS);
  return all.flatMap(([name, subject]) =>
    Array.from({ length: subject.share }, () => [name, subject] as const),
  );
}

export interface Mutation {
  readonly name: string;
  readonly subject: Subject;
  readonly file: SpoiltFile;
  readonly random: Random;
}

export function mutationOf(seed: number, number: number): Mutation {
  const random = randomFrom(Math.imul(seed, 0x9e3779b1) + number);
  for (let i = 0; i < 3; i++) random();
  const [name, subject] = pick([TURNS[number % TURNS.length] ?? pick(TURNS, random)], random);
  return { name, subject, file: pick(subject.files, random), random };
}

/** The content of a spoilt file, from the one that is in the folder of its subject. */
export const spoilt = ({ file, random }: Mutation, folder: string): Buffer =>
  file.way(original(folder, file.path), random);

export async function open({ seed, count, folder }: TortureOptions): Promise<Cases> {
  for (const [name, subject] of Object.entries<Subject>(SUBJECTS)) {
    const place = join(folder, name);
    mkdirSync(place);
    await subject.prepare(place);
    // what is refused unspoilt proves nothing
    for (const { path } of subject.files) await subject.read(place, path);
  }
  return {
    count,
    attempt: async (number) => {
      const mutation = mutationOf(seed, number);
      const { name, subject, file } = mutation;
      const place = join(folder, name);
      const path = join(place, file.path);
      const before = original(place, file.path);
      writeFileSync(path, spoilt(mutation, place));
      try {
        await subject.read(place, file.path);
        return undefined;
      } catch (error) {
        return problemOf(error);
      } finally {
        writeFileSync(path, before);
      }
    },
  };
}

/** What a user would see of an error that is no diagnostic. */
function problemOf(error: unknown): string | undefined {
  if (userProblem(error)?.code !== undefined) return undefined;
  if (translateHostError(error) instanceof OutOfMemoryError) return undefined;
  return error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error);
}
