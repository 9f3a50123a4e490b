import { buffer, text } from 'node:stream/consumers';

/** All of standard input, without the line break at its end. */
export const readInput = async (): Promise<string> => (await text(process.stdin)).replace(/\r?\n$/, '');

/** All of standard input as it is. */
export const readInputBytes = (): Promise<Uint8Array> => buffer(process.stdin);
