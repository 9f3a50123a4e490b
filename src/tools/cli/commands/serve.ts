import type { ServingInfo } from '../../../compute/serving/types.js';
import { counted } from '../../../language/diagnostics/make.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import type { RequestEnd } from '../../../pipeline/serve/observer.js';
import type { CliContext } from '../cli-context.js';
import { type Command, EXIT, option } from '../command.js';
import { printDiagnostics } from '../diagnostics-printer.js';
import { ENGINES, SERVE_DEFAULTS, serveSettings } from '../options/serve-options.js';
import { serveSignals } from '../serve-signals.js';

export const serveCommand: Command = {
  name: 'serve',
  doc: 'Serves a model, an adapter or the releases of a folder over HTTP, as the OpenAI API. Follows the folder: a new release, a canary or a rollback takes effect without a failed request. Ctrl-C or SIGTERM ends it when the answers that it has are complete; a second one at once.',
  positionals: [
    {
      name: 'model',
      doc: 'Folder of releases, of one release, of a model or of an adapter; or a GGUF file.',
    },
  ],
  options: {
    host: option.text('ADDRESS', 'Where to listen; default: 127.0.0.1, for this machine alone.'),
    port: option.number('N', `Default: ${SERVE_DEFAULTS.port}; 0 takes one that is free.`),
    'served-model-name': option.text('NAME', "What clients call the model; default: the folder's name."),
    engine: option.choice(
      ENGINES,
      'What computes: embedded, with the same numbers as evaluation, or llama.cpp; default: auto, llama.cpp where it is installed and loads the model.',
    ),
    base: option.text('FOLDER', 'The base of an adapter, if it is not where the adapter says.'),
    '4bit': option.flag('Keep the base in four bits, as for an adapter trained with qlora.'),
    template: option.text(
      'NAME',
      "How messages are written: model (the base's chat template), a style, or a Jinja file; default: as in training.",
    ),
    system: option.text('TEXT', 'The system message of requests without one; default: that of training.'),
    'no-system': option.flag('Leave requests without a system message as they are.'),
    'max-model-len': option.number(
      'N',
      'Tokens of a prompt and its answer, at most; default: as many as the model has positions and memory.',
    ),
    'max-num-seqs': option.number('N', 'Answers that are computed at once; default: as the memory allows.'),
    'max-queue': option.number(
      'N',
      `Requests that may wait for a place in the batch; more get status 429. Default: ${SERVE_DEFAULTS.queue}.`,
    ),
    'max-tokens': option.number(
      'N',
      'Longest answer that a request may ask for; default: what the context has left.',
    ),
    temperature: option.number(
      'T',
      'Temperature of requests that name none; default: 1, as in the OpenAI API.',
    ),
    'key-from': option.text(
      'NAME',
      'Ask for an API key, which this environment variable holds; may be given more than once.',
      { many: true },
    ),
    'allow-anyone': option.flag('Let other machines ask without a key.'),
    rate: option.text(
      'N/UNIT',
      'Requests per key, or per address without keys: `60/min`, `5/s`, `1000/h`; default: no limit.',
    ),
    timeout: option.number(
      'SECONDS',
      `Time within which an answer must be complete; default: ${SERVE_DEFAULTS.timeout}.`,
    ),
    drain: option.number(
      'SECONDS',
      `Time for answers to be completed once the server is told to end; default: ${SERVE_DEFAULTS.drain}.`,
    ),
    'max-body': option.number('MIB', `Largest request; default: ${SERVE_DEFAULTS.bodyMiB}.`),
    cors: option.text('ORIGIN', 'Let web pages of this origin ask; may be given more than once.', {
      many: true,
    }),
    'log-prompts': option.flag(
      'Write what is asked and answered into the log and the journal; without it, only sizes and times.',
    ),
    redact: option.text(
      'REGEX',
      'Replace what matches in the prompts and answers that are written; may be given more than once.',
      {
        many: true,
      },
    ),
    quiet: option.flag('No line for each request.'),
    threads: option.number('N', 'Threads that compute; default: one per core, and one fewer with llama.cpp.'),
  },
  examples: [
    ['ftpc serve releases/legal', 'the current release, and its canary, on http://127.0.0.1:8000/v1'],
    ['ftpc serve model.gguf --engine llama.cpp --port 8080', 'a GGUF file'],
    [
      'ftpc serve releases/legal --host 0.0.0.0 --key-from LEGAL_KEY --rate 60/min',
      'for other machines, with a key',
    ],
  ],
  run: async (args, context) => {
    const settings = await serveSettings(args, context);
    const { serve } = await import('../../../pipeline/serve/serve.js');
    const { nodeDisk } = await import('../../../language/host/node-disk.js');
    const { accessLines } = await import('../../../pipeline/serve/access-log.js');
    const { host } = context;
    const signals = serveSignals(context, settings.drainSeconds);
    const log = { prompts: args.flag('log-prompts'), redact: settings.redact, now: host.now };
    const answered = (end: RequestEnd): void => {
      if (!args.flag('quiet')) for (const line of accessLines(end, log)) context.err(line);
    };
    try {
      const serving = await serve(
        {
          ...{ ...settings, host, disk: nodeDisk() },
          ...(log.prompts && { written: settings.redact }),
          reports: { ...reportsTo(context), answered },
        },
        signals.loading,
      );
      for (const line of greeting(serving.info, serving.url, settings.name)) context.err(line);
      context.out(`listening on ${serving.url}`);
      await signals.end(serving);
      return EXIT.done;
    } catch (error) {
      if (signals.loading.aborted) return EXIT.interrupted;
      throw error;
    } finally {
      signals.release();
    }
  },
};

function reportsTo(context: CliContext) {
  // one after the other, as they were said
  let said = Promise.resolve();
  const say = (text: string | Diagnostic): void => {
    said = said.then(() =>
      typeof text === 'string'
        ? context.err(text)
        : printDiagnostics(context, [{ ...text, severity: 'warning' }]),
    );
  };
  return {
    warning: say,
    crashed: (diagnostic: Diagnostic, seconds: number) => {
      say(diagnostic);
      say(`the model is started again in ${seconds} s`);
    },
    restarted: () => say('the model answers again'),
    traffic: say,
    bug: (error: unknown) =>
      say(
        `this is a bug in ftpc: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      ),
  };
}

/** What serves, and how to ask it. */
function greeting({ engine, rows, contextTokens, memory, chats }: ServingInfo, url: string, name: string) {
  const body = chats
    ? { model: name, messages: [{ role: 'user', content: 'Hello' }] }
    : { model: name, prompt: 'Once', max_tokens: 32 };
  return [
    `${name}: ${engine}, ${counted(rows, 'answer')} at once, ${contextTokens} tokens, ${bytes(memory)} planned`,
    'to ask it:',
    `  curl ${url}/v1/${chats ? 'chat/completions' : 'completions'} \\`,
    "    -H 'content-type: application/json' \\",
    `    -d '${JSON.stringify(body)}'`,
    `how it does: ${url}/dashboard`,
  ];
}
