/**
 * The part of SARIF 2.1.0 that `check --sarif` uses, as a JSON Schema: nothing beside it may be printed. After the
 * tables of the specification, sections 3.13 to 3.58.
 */
const object = (required: readonly string[], properties: Readonly<Record<string, object>>): object => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
const list = (items: object, least = 0): object => ({ type: 'array', minItems: least, items });
const ref = (name: string): object => ({ $ref: `#/$defs/${name}` });

const text = { type: 'string', minLength: 1 };
const natural = { type: 'integer', minimum: 1 };
const level = { enum: ['none', 'note', 'warning', 'error'] };

export const sarifSchema = {
  ...object(['version', 'runs'], {
    $schema: { type: 'string', format: 'uri' },
    version: { const: '2.1.0' },
    runs: list(ref('run')),
  }),
  $defs: {
    run: object(['tool'], {
      tool: object(['driver'], {
        driver: object(['name'], { name: text, semanticVersion: text, rules: list(ref('descriptor')) }),
      }),
      columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
      // A root ends with a slash (3.14.14).
      originalUriBaseIds: {
        type: 'object',
        additionalProperties: object([], { uri: { type: 'string', pattern: '/$' } }),
      },
      results: list(ref('result')),
    }),
    descriptor: object(['id'], {
      id: text,
      name: text,
      shortDescription: ref('strings'),
      help: ref('strings'),
      defaultConfiguration: object([], { level }),
    }),
    strings: object(['text'], { text, markdown: text }),
    message: object(['text'], { text }),
    result: object(['message'], {
      ruleId: text,
      ruleIndex: { type: 'integer', minimum: 0 },
      level,
      message: ref('message'),
      locations: list(ref('location')),
      relatedLocations: list(ref('location')),
      fixes: list(ref('fix')),
      suppressions: list(
        object(['kind'], {
          kind: { enum: ['inSource', 'external'] },
          justification: text,
          location: ref('location'),
        }),
      ),
    }),
    location: object([], {
      id: { type: 'integer', minimum: 0 },
      message: ref('message'),
      physicalLocation: object(['artifactLocation'], {
        artifactLocation: ref('artifact'),
        region: ref('region'),
      }),
    }),
    artifact: object([], { uri: { type: 'string', format: 'uri-reference' }, uriBaseId: text }),
    region: object(['startLine'], {
      startLine: natural,
      startColumn: natural,
      endLine: natural,
      endColumn: natural,
    }),
    fix: object(['artifactChanges'], {
      description: ref('message'),
      artifactChanges: list(
        object(['artifactLocation', 'replacements'], {
          artifactLocation: ref('artifact'),
          replacements: list(
            object(['deletedRegion'], {
              deletedRegion: ref('region'),
              insertedContent: object([], { text: { type: 'string' } }),
            }),
            1,
          ),
        }),
        1,
      ),
    }),
  },
};
