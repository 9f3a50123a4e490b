import type { Answer } from './served-model.js';

/** The chunks of a stream of server-sent events, and whether it was ended as OpenAI's are. */
export function sseEvents(text: string): { readonly chunks: readonly Answer[]; readonly done: boolean } {
  const datas = text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''));
  return {
    chunks: datas.filter((data) => data !== '[DONE]').map((data) => JSON.parse(data) as Answer),
    done: datas.at(-1) === '[DONE]',
  };
}
