import { text } from 'node:stream/consumers';

/** All of standard input, without the line break at its end. */
export const readInput = async (): Promise<string> => (await text(process.stdin)).replace(/\r?\n$/, '');
