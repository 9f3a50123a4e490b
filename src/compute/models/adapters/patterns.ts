/** Patterns over the paths of linear layers, which may come from a stranger's adapter. */

const LONGEST = 200;
const MOST_REPETITIONS = 6;

/** A group that is repeated and holds a repetition or a choice: what makes matching take exponential time. */
const REPEATED_GROUP = /\((?:[^()\\]|\\.)*[*+{|](?:[^()\\]|\\.)*\)[*+{]/;

/**
 * What is wrong with a pattern, in a few words; nothing if it is a regular expression that is matched in little time.
 * A path has about fifty letters, so that a few plain repetitions do no harm.
 */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length > LONGEST) return `it has more than ${LONGEST} letters`;
  if (REPEATED_GROUP.test(pattern)) return 'it repeats a group that contains a repetition or an alternative';
  if ((pattern.match(/[*+{]/g) ?? []).length > MOST_REPETITIONS)
    return `it has more than ${MOST_REPETITIONS} repetitions`;
  try {
    matchesPattern(pattern, '');
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message.replace(/^.*: /, '').toLowerCase();
    throw error;
  }
}

/** Whether a pattern matches the end of a path from a dot on (peft, `get_pattern_key`). Throws a `SyntaxError`. */
export const matchesPattern = (pattern: string, path: string): boolean =>
  new RegExp(`^(.*\\.)?(${pattern})$`).test(path);
