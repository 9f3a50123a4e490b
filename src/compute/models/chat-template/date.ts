/**
 * `strftime_now` of a chat template. A rendering must not change from day to day, or training rows and cached results
 * would: a template that asks whether there is a clock is told that there is none, and one that assumes it
 * (SmolLM3, Mistral Small) gets the day that Llama 3's templates fall back to.
 */
const DATE: Readonly<Record<string, string>> = {
  '%Y': '2024',
  '%y': '24',
  '%m': '07',
  '%-m': '7',
  '%B': 'July',
  '%b': 'Jul',
  '%d': '26',
  '%-d': '26',
  '%e': '26',
  '%j': '208',
  '%A': 'Friday',
  '%a': 'Fri',
  '%F': '2024-07-26',
  '%H': '00',
  '%I': '12',
  '%M': '00',
  '%S': '00',
  '%p': 'AM',
  '%T': '00:00:00',
  '%%': '%',
};

const ASKED = /\bstrftime_now\s+is\s+(?:not\s+)?(?:un)?defined\b/;

function text(format: unknown): string {
  if (typeof format === 'string') return format;
  throw new Error('strftime_now() takes a text');
}

/** The function, by its name, where the template does without asking for it. */
export const dateOf = (source: string): Readonly<Record<string, unknown>> =>
  ASKED.test(source)
    ? {}
    : {
        strftime_now: (format: unknown): string =>
          text(format).replace(/%-?./gs, (directive) => DATE[directive] ?? directive),
      };
