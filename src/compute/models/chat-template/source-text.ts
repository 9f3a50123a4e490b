/** Parts of a template's text, before it is parsed. */

/** As in Python, a text between quotes continues after a line that ends with a backslash; Mistral's templates use it. */
export const withoutContinuations = (source: string): string =>
  source.includes('\\\n') ? between(source, TAG, TAG_END, (tag) => tag.replace(CONTINUATION, '$1')) : source;

const TAG = /\{[{%]/g;
const TAG_END = /[%}]\}/g;
const CONTINUATION = /(?<!\\)((?:\\\\)*)\\\n/g;

/** Replaces what begins and ends so; each place of the text is looked at once, where lazy expressions begin again. */
function between(source: string, open: RegExp, end: RegExp, replace: (part: string) => string): string {
  let text = '';
  let at = 0;
  for (;;) {
    open.lastIndex = at;
    const start = open.exec(source)?.index;
    if (start === undefined) break;
    end.lastIndex = start + 2;
    const found = end.exec(source);
    if (found === null) break;
    text += source.slice(at, start) + replace(source.slice(start, end.lastIndex));
    at = end.lastIndex;
  }
  return text + source.slice(at);
}

/** Without `{# … #}`. */
export const withoutComments = (source: string): string => between(source, /\{#/g, /#\}/g, () => '');
