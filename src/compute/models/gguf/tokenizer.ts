import type { Json } from '../../../language/host/json.js';
import type { VocabularySize } from '../load.js';
import { shown } from '../read-file.js';
import { ModelError } from '../types.js';
import { flagIn, numberIn } from './families.js';
import type { GgufHeader, GgufValue } from './header.js';
import { spacesTaken, takesSpaces } from './named-spaces.js';
import {
  BYTE_LEVEL_DECODER,
  impliedMerges,
  PRE_TOKENIZERS,
  type PreTokenizer,
  pieceDecoder,
  pieceStyle,
  respelled,
  SPACE_PREFIX,
} from './vocabularies.js';

/** Kinds of tokens in `tokenizer.ggml.token_type` that are cut out of the text. */
const CONTROL = 3;
const USER_DEFINED = 4;

const PLAIN = { single_word: false, lstrip: false, normalized: false };

/** Names of the special tokens and where their ids are. */
const SPECIAL: Readonly<Record<string, string>> = {
  bos_token: 'tokenizer.ggml.bos_token_id',
  eos_token: 'tokenizer.ggml.eos_token_id',
  unk_token: 'tokenizer.ggml.unknown_token_id',
  pad_token: 'tokenizer.ggml.padding_token_id',
};

/** Special tokens by the names that chat templates have for them; those that the file does not name are left out. */
export function ggufSpecialTokens(header: GgufHeader): Readonly<Record<string, string>> {
  const tokens = header.values.get('tokenizer.ggml.tokens');
  const found: Record<string, string> = {};
  for (const [name, key] of Object.entries(SPECIAL)) {
    const id = numberIn(header, key);
    const token = Array.isArray(tokens) && id !== undefined ? tokens[id] : undefined;
    if (typeof token === 'string') found[name] = token;
  }
  return found;
}

/** Merges that a vocabulary of pieces implies, for each of its tokens: 1.91 of Llama 2, 1.96 of Gemma 3. */
const IMPLIED_MERGES = 1.95;

/** How many tokens and merges a file's vocabulary has, without making these where they are implied. */
export function ggufVocabularySize({ values }: GgufHeader): VocabularySize | undefined {
  const [tokens, merges] = ['tokens', 'merges'].map((key) => values.get(`tokenizer.ggml.${key}`));
  if (!Array.isArray(tokens)) return undefined;
  return {
    tokens: tokens.length,
    merges: Array.isArray(merges) ? merges.length : IMPLIED_MERGES * tokens.length,
  };
}

/** Whether a text begins with the begin token where nothing says otherwise. */
export function ggufBegins(header: GgufHeader): boolean {
  const { values } = header;
  const asked = flagIn(header, 'tokenizer.ggml.add_bos_token');
  if (asked !== undefined) return asked;
  if (values.get('tokenizer.ggml.model') === 'llama') return true;
  return preTokenizer(values.get('tokenizer.ggml.pre'))?.begins ?? false;
}

const preTokenizer = (name: GgufValue | undefined): PreTokenizer | undefined =>
  typeof name === 'string' && Object.hasOwn(PRE_TOKENIZERS, name) ? PRE_TOKENIZERS[name] : undefined;

/** The post-processor that puts a token before every text. */
function putsBefore(tokens: readonly string[], id: number | undefined): Json | null {
  const token = id === undefined ? undefined : tokens[id];
  if (token === undefined) return null;
  const [a, b] = ['A', 'B'].map((sequence) => ({ Sequence: { id: sequence, type_id: 0 } }));
  const begin = { SpecialToken: { id: token, type_id: 0 } };
  return {
    type: 'TemplateProcessing',
    single: [begin, a],
    pair: [begin, a, begin, b],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

/** What a kind of vocabulary decides of a `tokenizer.json`. */
interface Steps {
  readonly tokens: readonly string[];
  readonly merges: readonly unknown[];
  readonly normalizer: Json | null;
  readonly preTokenizer: Json | null;
  readonly decoder: Json;
  readonly model: Json;
}

/**
 * The `tokenizer.json` that says what a GGUF file's vocabulary says. Throws a {@link ModelError}: `gguf_unsupported` for
 * a vocabulary of another kind, `model_tokenizer` for one that makes no sense.
 */
export function ggufTokenizerJson(header: GgufHeader): Json {
  const file = new Vocabulary(header);
  const steps = file.steps();
  const ids = new Set(Object.values(SPECIAL).map((key) => numberIn(header, key)));
  const begin = numberIn(header, SPECIAL['bos_token'] ?? '');
  const taken = spacesTaken(header);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: steps.tokens.flatMap((content, id) => {
      const special = ids.has(id) || file.typeOf(id) === CONTROL;
      const cut = special || file.typeOf(id) === USER_DEFINED;
      const rstrip = taken && takesSpaces(content);
      return cut && content !== '' ? [{ ...PLAIN, rstrip, id, content, special }] : [];
    }),
    normalizer: steps.normalizer,
    pre_tokenizer: steps.preTokenizer,
    post_processor: ggufBegins(header) ? putsBefore(steps.tokens, begin) : null,
    decoder: steps.decoder,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      ...steps.model,
      vocab: Object.fromEntries(steps.tokens.map((token, id) => [token, id])),
      merges: steps.merges,
    },
  };
}

/** The lists of a file's vocabulary, each checked when it is asked for. */
class Vocabulary {
  private readonly types: readonly unknown[];

  constructor(private readonly header: GgufHeader) {
    const types = header.values.get('tokenizer.ggml.token_type');
    this.types = Array.isArray(types) ? types : [];
    if (types !== undefined) this.sameLength('token_type', this.types.length);
  }

  typeOf(id: number): unknown {
    return this.types[id];
  }

  steps(): Steps {
    const model = this.header.values.get('tokenizer.ggml.model');
    if (model === 'gpt2') return this.byteLevel();
    if (model === 'llama') return this.sentencePiece();
    return this.unsupported(
      `tokenizer.ggml.model is ${shown(model ?? null)}.`,
      'Use a file whose vocabulary is "gpt2" (byte-level pairs) or "llama" (SentencePiece).',
    );
  }

  private byteLevel(): Steps {
    const name = this.header.values.get('tokenizer.ggml.pre');
    const pre = preTokenizer(name);
    if (pre === undefined)
      return this.unsupported(
        `tokenizer.ggml.pre is ${shown(name ?? null)}.`,
        `Known are ${Object.keys(PRE_TOKENIZERS).join(', ')}; \`local\` reads a folder with the model's own tokenizer.json.`,
      );
    return {
      tokens: this.texts('tokens'),
      merges: this.texts('merges'),
      normalizer: pre.normalizer ?? null,
      preTokenizer: pre.step,
      decoder: BYTE_LEVEL_DECODER,
      model: { ignore_merges: pre.ignoreMerges ?? false },
    };
  }

  private sentencePiece(): Steps {
    const { values } = this.header;
    const prefix = flagIn(this.header, 'tokenizer.ggml.add_space_prefix') ?? true;
    const how = String(values.get(SPACE_PREFIX) ?? '');
    const style = pieceStyle(String(values.get('general.architecture')), prefix, how);
    const tokens = this.texts('tokens').map((token) => (style.byPlace ? respelled(token) : token));
    const unknown = numberIn(this.header, 'tokenizer.ggml.unknown_token_id');
    return {
      tokens,
      merges: this.merges(tokens, style.byPlace),
      normalizer: style.normalizer,
      preTokenizer: style.preTokenizer,
      decoder: pieceDecoder(style),
      model: {
        byte_fallback: true,
        fuse_unk: true,
        unk_token: style.unknown && unknown !== undefined ? (tokens[unknown] ?? null) : null,
      },
    };
  }

  private merges(tokens: readonly string[], byPlace: boolean): readonly unknown[] {
    if (this.header.values.has('tokenizer.ggml.merges')) return this.texts('merges');
    if (byPlace) return impliedMerges(tokens, (id) => -id);
    const scores = this.list('scores');
    this.sameLength('scores', scores.length);
    return impliedMerges(tokens, (id) => {
      const score = scores[id];
      return typeof score === 'number' ? score : this.fail('tokenizer.ggml.scores is not a list of numbers.');
    });
  }

  private sameLength(key: string, length: number): void {
    const tokens = this.list('tokens').length;
    if (length !== tokens) this.fail(`tokenizer.ggml.${key} has ${length} entries for ${tokens} tokens.`);
  }

  private texts(key: string): readonly string[] {
    return this.list(key).map((item) =>
      typeof item === 'string' ? item : this.fail(`tokenizer.ggml.${key} has values that are not strings.`),
    );
  }

  private list(key: string): readonly GgufValue[] {
    const list = this.header.values.get(`tokenizer.ggml.${key}`);
    return Array.isArray(list) ? list : this.fail(`tokenizer.ggml.${key} is missing.`);
  }

  private fail(detail: string): never {
    throw new ModelError(
      'model_tokenizer',
      this.header.path,
      detail,
      'Download the file again, or use the model folder that it was made from.',
    );
  }

  private unsupported(detail: string, help: string): never {
    throw new ModelError('gguf_unsupported', this.header.path, detail, help);
  }
}
