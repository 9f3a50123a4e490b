import { buffer } from 'node:stream/consumers';

/** All of standard input as it is. */
export const readInputBytes = (): Promise<Uint8Array> => buffer(process.stdin);
