import { chatText } from './chat-text.mjs';
import { pick, rank } from './order.mjs';
import { PARTS } from './wordnet.mjs';

/** Simple instructions on sentences of WordNet: what an answer is, before any licence is asked about. */
const SYSTEMS = ['', '', 'Answer briefly.', 'You explain words.', 'Answer in a few words.'];
const ask = (question, text) => `${question}\n\n${text}`;
const words = (text) => text.match(/[A-Za-z]+/g) ?? [];
const long = (text) => words(text).filter((word) => word.length >= 4);

const TASKS = [
  ({ word, part, gloss, key }) => [
    pick([`What does the ${PARTS[part]} "${word}" mean?`, `Explain "${word}".`, `Define "${word}".`], key),
    gloss,
  ],
  ({ gloss, key }) => [ask(pick(['Repeat this.', 'Say this again.'], key), gloss), gloss],
  ({ gloss }) => [ask('What is the first word?', gloss), words(gloss)[0]],
  ({ gloss }) => [ask('What is the last word?', gloss), words(gloss).at(-1)],
  ({ gloss, other, key }) => {
    const present = rank(`present\n${key}`) < 0.5;
    const word = pick(long(present ? gloss : other), key);
    if (word === undefined || (!present && words(gloss).includes(word))) return undefined;
    return [ask(`Is the word "${word}" in this text?`, gloss), present ? 'yes' : 'no'];
  },
  ({ word, gloss }) => [ask('Which word is explained?', `${word}: ${gloss}`), word],
  ({ gloss }) => {
    const numbers = gloss.match(/\d+/g) ?? [];
    return numbers.length === 1 ? [ask('Which number is in this text?', gloss), numbers[0]] : undefined;
  },
  ({ example }) =>
    example === undefined ? undefined : [ask('Write this in capitals.', example), example.toUpperCase()],
];

/** One chat for each synset that a task fits. `synset`: `{ part, word, gloss, example, other, key }`. */
export function chatOf(synset) {
  const numeric = /^\D*\d+\D*$/.test(synset.gloss) && rank(`numeric\n${synset.key}`) < 0.7;
  const task = numeric ? TASKS[6] : pick(TASKS, `task\n${synset.key}`);
  const made = task(synset);
  if (made === undefined || made[1] === undefined) return undefined;
  const [user, assistant] = made;
  return chatText({ system: pick(SYSTEMS, `system\n${synset.key}`), user, assistant });
}
