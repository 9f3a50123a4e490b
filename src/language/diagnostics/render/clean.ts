/** Control characters, and those that change the direction of text: a file must not control the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it removes control characters
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Replaces each with U+FFFD; line ends and tabs stay. */
export const harmless = (text: string): string => text.replace(CONTROL, '\ufffd');
