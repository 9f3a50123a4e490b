import { defaulted, type FunctionSchema, optional, required, t } from '../schema.js';

/** Where the curves of a training are shown besides ftpc. */
export const trackers = {
  tensorboard: {
    family: 'tracker',
    doc: 'Event files for TensorBoard, in a folder per training.',
    positional: ['folder'],
    args: { folder: defaulted(t.filled, 'runs', 'The folder, relative to the working directory.') },
  },
  mlflow: {
    family: 'tracker',
    doc: 'A run of an MLflow server, by its REST API.',
    positional: ['uri'],
    args: {
      uri: required(t.filled, 'Address of the server: `"http://127.0.0.1:5000"`.'),
      experiment: defaulted(
        t.filled,
        'Default',
        'Name of the experiment, which is made where there is none.',
      ),
      token: optional(t.secret, 'A secret that the server wants as bearer token.'),
    },
  },
  wandb: {
    family: 'tracker',
    doc: 'An offline run of Weights & Biases, which `wandb sync` uploads.',
    positional: [],
    args: {
      project: required(t.filled, 'Name of the project.'),
      entity: optional(t.filled, 'User or team; default: as `wandb login` says.'),
      folder: defaulted(t.filled, 'wandb', 'The folder of offline runs, relative to the working directory.'),
    },
  },
} as const satisfies Record<string, FunctionSchema>;

export type TrackerName = keyof typeof trackers;
