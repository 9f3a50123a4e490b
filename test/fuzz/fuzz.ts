/** Seeded cases: the same seed and number give the same text. */
import { randomFrom } from '../language/formatter/mangle.js';
import { corpus, type Text } from './corpus.js';
import { Judge, type Judgement } from './judge.js';
import { MUTATIONS, type MutationName } from './mutations.js';

export interface Case {
  readonly number: number;
  readonly origin: Text;
  readonly mutation: MutationName;
  readonly text: string;
}

const NAMES = Object.keys(MUTATIONS) as MutationName[];

export class Fuzzer {
  private readonly texts = corpus();
  private readonly judge = new Judge();

  constructor(private readonly seed: number) {}

  case(number: number): Case {
    const random = randomFrom(Math.imul(this.seed, 0x9e3779b1) + number);
    // The first numbers of neighbouring seeds are alike.
    for (let i = 0; i < 3; i++) random();
    const origin = this.texts[Math.floor(random() * this.texts.length)];
    const mutation = NAMES[Math.floor(random() * NAMES.length)];
    if (origin === undefined || mutation === undefined) throw new Error('there is nothing to mangle');
    return { number, origin, mutation, text: MUTATIONS[mutation](origin.text, random, this.texts) };
  }

  run({ origin, text }: Case): Judgement {
    try {
      return this.judge.judge(origin, text);
    } catch (error) {
      const { stack } = error as Error;
      return { problems: [`it threw ${stack?.split('\n').slice(0, 4).join(' ')}`], outcome: 'reported' };
    }
  }
}
