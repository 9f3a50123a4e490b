/** `response_format`: what an answer has to be. */
import * as v from 'valibot';
import type { AnswerFormat } from '../../../compute/serving/types.js';
import { isJson, type Json } from '../../../language/host/json.js';
import { badField } from './api-error.js';

export const responseFormat = v.object({
  type: v.picklist(['text', 'json_object', 'json_schema']),
  json_schema: v.optional(
    v.object({
      name: v.optional(v.string()),
      description: v.nullish(v.string()),
      schema: v.optional(v.custom<Json>(isJson, 'a JSON Schema')),
      strict: v.nullish(v.boolean()),
    }),
  ),
});

/** Throws an `ApiError` for a schema that is not there. */
export function formatOf(asked: v.InferInput<typeof responseFormat> | undefined): {
  readonly format?: AnswerFormat;
} {
  if (asked === undefined || asked.type === 'text') return {};
  if (asked.type === 'json_object') return { format: { type: 'json_object' } };
  const schema = asked.json_schema?.schema;
  if (schema === undefined)
    throw badField(
      'response_format.json_schema.schema',
      '`response_format` of type `json_schema` needs `json_schema.schema`',
      'missing_required_parameter',
    );
  return { format: { type: 'json_schema', schema } };
}
