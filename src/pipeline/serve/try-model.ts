/** Whether a model answers at all, before anybody is sent to it. */
import type { ServedModel } from './model.js';

/** Long enough to see that it gives numbers. */
const TOKENS = 8;
const ANY = 'Hello';

/** Asks it something. Throws what the model does, or the signal's reason; the model is closed then. */
export async function tryModel(model: ServedModel, signal: AbortSignal, prompt = ANY): Promise<void> {
  const request = {
    prompt: model.info.chats ? { messages: [{ role: 'user', content: prompt } as const] } : { text: prompt },
    ...{ maxTokens: TOKENS, draw: { temperature: 0 }, stop: [] },
  };
  try {
    for await (const piece of model.complete(request, signal)) if (piece.type === 'end') return;
  } catch (error) {
    await model.close();
    throw error;
  }
}
