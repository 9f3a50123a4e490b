import { type Infer, optional, required, type StageSchema, t } from '../schema.js';

const settings = {
  model: required(t.port('Model', 'Adapter'), 'The model to publish.'),
  when: optional(t.port('Gate'), 'Publish only if this gate is open.'),
  target: required(t.call('target'), 'Where to publish it.'),
  canary: optional(
    t.quantity('ratio', { min: 0.001, max: 0.99 }),
    'Publish it next to the current release, and give it this share of the requests that `ftpc serve` answers; `ftpc promote` makes it current. Default: it becomes current.',
  ),
  smoke: optional(t.filled, 'A question that the release must answer before it becomes current.'),
} as const;

export type DeploySettings = Infer<typeof settings>;

export const deploySchema: StageSchema = {
  kind: 'deploy',
  doc: 'Publishes a versioned release with its manifest, and makes it current once it answers a smoke prompt.',
  presets: [],
  settings,
  ports: {},
  metrics: { release: { doc: 'Number of the release.', unit: 'number', known: 'run' } },
};
