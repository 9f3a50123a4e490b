/** What is in a journal or a pipeline must not drive the terminal: control signs are shown as one that is none. */
export const printable = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, '\ufffd');
