/** Forms of turns in the template language of Go, as Ollama reads it: https://pkg.go.dev/text/template */
import type { TurnForm } from './turn-form.js';

/** Text as it is; braces would begin an action. */
const plain = (text: string): string => text.replaceAll('{{', '{{`{{`}}');

const action = (text: string): string => `{{${text}}}`;

/** A template for Ollama: without the token that begins a text, which Ollama adds. */
export function goTemplate(form: TurnForm): string {
  const { start, between, user, assistant, system, defaultSystem, generation } = form;
  const { place = undefined, before = '', after = '' } = system ?? {};
  const ownSystem =
    place === 'message'
      ? `${action('if eq .Role "system"')}${plain(before)}${action('.Content')}${plain(after)}${action('else if eq .Role "user"')}`
      : action('if eq .Role "user"');
  const whenNone =
    defaultSystem === undefined
      ? ''
      : `${action('if .Messages')}${action('if ne (index .Messages 0).Role "system"')}${plain(before + defaultSystem + after)}${action('end')}${action('end')}`;
  return [
    plain(start),
    whenNone,
    action('range $i, $_ := .Messages'),
    action('$last := eq (len (slice $.Messages $i)) 1'),
    ownSystem,
    between === '' ? '' : `${action(`if not ${FIRST}`)}${plain(between)}${action('end')}`,
    plain(user.before),
    within(place, plain(before), plain(after)),
    action('.Content'),
    plain(user.after),
    action('else if eq .Role "assistant"'),
    plain(assistant.before),
    action('.Content'),
    action('if not $last'),
    plain(assistant.after),
    action('end'),
    action('end'),
    action('if and $last (ne .Role "assistant")'),
    plain(generation),
    action('end'),
    action('end'),
  ].join('');
}

/** Whether a question is the first. */
const FIRST = '(or (eq $i 0) (and (eq $i 1) (eq (index $.Messages 0).Role "system")))';

/** Which question a system prompt goes into. */
const QUESTION = {
  first: `if and $.System ${FIRST}`,
  last: 'if and $.System $last',
} as const;

const within = (place: 'message' | 'first' | 'last' | undefined, before: string, after: string): string =>
  place === undefined || place === 'message'
    ? ''
    : `${action(QUESTION[place])}${before}${action('$.System')}${after}${action('end')}`;
