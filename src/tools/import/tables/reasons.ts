/** Why a key needs nothing, or has no counterpart, in several tables. */

/** Why a key needs nothing. */
export const BY_ITSELF = {
  planner: 'the planner decides what is recomputed, quantised further, offloaded or paged',
  micro: 'the planner chooses how many rows are computed at a time; results do not depend on it',
  store: 'outputs, checkpoints and the journal are in the store; an interrupted run resumes by itself',
  reports:
    'ftpc keeps the figures of every step itself: `ftpc metrics`, `ftpc diff` and the report; `track` in a `train` stage shows them elsewhere',
  kernels: 'the tensor runtime chooses how it computes; results do not depend on it',
  precision: '`precision` is bfloat16 on GPUs that multiply it, and float32 elsewhere',
  reading: 'rows are streamed, tokenized once and kept in the store, without workers to set',
  model: 'the architecture and the tokenizer are read from the files of the base',
  validation: 'rows are validated on where some are set aside for it',
  best: 'the checkpoint with the lowest validation loss is `.best`, the last one `.last`',
  padding: 'rows are padded only to the longest of their micro batch, and padding never counts',
  reference: 'the reference is asked of each row once, before training',
  code: 'code in a repository is never run',
  generation: 'says how a model answers, not how it is trained: `generation` of an `eval` stage',
} as const;

/** Why a key has no counterpart. */
export const NONE = {
  places: '`ftpc run --nodes N --node K --rendezvous HOST:PORT` says where the machines are',
  parallel: 'each device has a replica of the model, or shards of it: no layer, matrix or row is split',
  upload: 'nothing is uploaded while it trains; a `deploy` stage publishes, with `hub("…")` to the Hub',
  tokens:
    'the tokens of the base stay as they are; `special_tokens` and `added_tokens` of `hf` and `local` add some, each with a row in embedding and head',
  loss: 'another loss than the cross entropy of the tokens is not computed',
  parts: 'either an adapter or every weight is trained, not some of the weights',
  rewards: 'ftpc learns from preferences that are given, not from rewards of answers that it writes',
  ranked: 'answers with ranks are no pairs: write rows with `prompt`, `chosen` and `rejected`',
  unaimed: 'its rows are preferences, and the file does not say what is learned from them',
  images: 'rows are text only: images, video and audio are not read',
  schedule: 'the schedules of ftpc do not have it',
  quantised: 'a base is quantised to NF4 (QLoRA), or not at all',
  messages:
    'a chat is read from the column `messages` (or, with `from` and `value`, `conversations`): rename it in the rows',
  revision: 'no revision on the Hub has such a name',
  folder: 'a file or a folder has no revisions',
} as const;
