/** Servers that answer in OpenAI's form, as stages see them. */
import type { Json } from '../../language/host/json.js';
import type { Call } from '../../language/ir/program.js';
import type { Span } from '../../language/source/span.js';

export interface EndpointRequest {
  readonly messages: readonly { readonly role: 'system' | 'user'; readonly content: string }[];
  /** JSON Schema that the reply must satisfy, where the server can hold itself to one. */
  readonly schema: Json;
}

export interface Endpoint {
  /** The text of the reply. Throws a `UserError`, or the signal's reason. */
  ask(request: EndpointRequest): Promise<string>;
}

/** `at`: the stage that asks. */
export type OpenEndpoint = (endpoint: Call, at: Span) => Promise<Endpoint>;
