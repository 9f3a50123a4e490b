/** Control characters, and those that turn the direction of the text around: a file must not drive the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it takes out
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text with a sign in place of each; line ends and tabs stay. */
export const harmless = (text: string): string => text.replace(CONTROL, '\ufffd');
