import { type Answer, type FactsInput, factsOf } from './facts.js';
import { ITEMS, type Item } from './items.js';

type AnsweredItem = Pick<Item, 'id' | 'phase' | 'text'> & Answer;

export interface Checklist {
  readonly version: 1;
  readonly pipeline: string;
  /** The newest run that is looked at; `null` if there was none. */
  readonly run: string | null;
  readonly done: number;
  readonly open: number;
  /** What the next run does. */
  readonly waiting: number;
  readonly unknown: number;
  readonly items: readonly AnsweredItem[];
}

/** Every item of the production checklist, answered from a pipeline, its newest run and its releases. */
export function checklistOf(input: FactsInput): Checklist {
  const facts = factsOf(input);
  const items = ITEMS.map(({ id, phase, text, answer }) => ({ id, phase, text, ...answer(facts) }));
  const count = (state: Answer['state']): number => items.filter((item) => item.state === state).length;
  return {
    version: 1,
    pipeline: input.program.file,
    run: facts.run ?? null,
    done: count('done'),
    open: count('open'),
    waiting: count('waiting'),
    unknown: count('unknown'),
    items,
  };
}
