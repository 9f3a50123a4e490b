/**
 * Trains the starter's tokenizer on pipelines/data/starter and writes its Hugging Face files, with the config of the
 * model, to stdlib/models/starter. Byte-level BPE; each digit is a token of its own.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  BPE,
  byteLevelAlphabet,
  byteLevelPreTokenizer,
  digitsPreTokenizer,
  sequencePreTokenizer,
  Tokenizer,
} from 'tokenizers';
import { CHAT_TEMPLATE, SPECIAL } from './lib/chat-text.mjs';
import { byCodeUnit } from './lib/order.mjs';

const VOCABULARY = 4096;
const DATA = fileURLToPath(new URL('../../pipelines/data/starter', import.meta.url));
const MODEL = fileURLToPath(new URL('../../stdlib/models/starter', import.meta.url));

function corpus() {
  return readdirSync(DATA)
    .filter((name) => name.endsWith('.jsonl'))
    .sort(byCodeUnit)
    .flatMap((name) => readFileSync(join(DATA, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line).text.replaceAll(/<\|\w+\|>/g, '\n'));
}

/**
 * Merges in the order in which they are learnt. The library's own trainer learns 30,000 tokens; byte pairs are merged
 * greedily, so the first of them are what a smaller vocabulary would have got.
 */
function learnMerges(count) {
  const tokenizer = new Tokenizer(BPE.empty());
  tokenizer.setPreTokenizer(
    sequencePreTokenizer([digitsPreTokenizer(true), byteLevelPreTokenizer(false, true)]),
  );
  const folder = mkdtempSync(join(tmpdir(), 'starter-'));
  try {
    writeFileSync(join(folder, 'corpus.txt'), corpus().join('\n'));
    tokenizer.train([join(folder, 'corpus.txt')]);
    tokenizer.save(join(folder, 'tokenizer.json'));
    const { merges } = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')).model;
    return merges.slice(0, count).map((merge) => (typeof merge === 'string' ? merge.split(' ') : merge));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const added = (content, id) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };

function tokenizerFile() {
  const alphabet = [...byteLevelAlphabet()].sort(byCodeUnit);
  const merges = learnMerges(VOCABULARY - SPECIAL.length - alphabet.length);
  const tokens = [...SPECIAL, ...alphabet, ...merges.map((pair) => pair.join(''))];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map(added),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel],
    },
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}

const [PAD, START, END] = [0, 1, 2];
const FILES = {
  'tokenizer_config.json': {
    added_tokens_decoder: Object.fromEntries(
      SPECIAL.map((content, id) => {
        const { id: _, ...token } = added(content, id);
        return [id, token];
      }),
    ),
    additional_special_tokens: [SPECIAL[START]],
    bos_token: null,
    clean_up_tokenization_spaces: false,
    eos_token: SPECIAL[END],
    model_max_length: 512,
    pad_token: SPECIAL[PAD],
    tokenizer_class: 'PreTrainedTokenizerFast',
    unk_token: null,
  },
  'special_tokens_map.json': {
    additional_special_tokens: [SPECIAL[START]],
    eos_token: SPECIAL[END],
    pad_token: SPECIAL[PAD],
  },
  'generation_config.json': { eos_token_id: END, pad_token_id: PAD },
  'config.json': {
    architectures: ['LlamaForCausalLM'],
    attention_bias: false,
    attention_dropout: 0.0,
    bos_token_id: null,
    dtype: 'float16',
    eos_token_id: END,
    head_dim: 32,
    hidden_act: 'silu',
    hidden_size: 192,
    initializer_range: 0.02,
    intermediate_size: 512,
    max_position_embeddings: 512,
    mlp_bias: false,
    model_type: 'llama',
    num_attention_heads: 6,
    num_hidden_layers: 6,
    num_key_value_heads: 2,
    pad_token_id: PAD,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
    torch_dtype: 'float16',
    use_cache: true,
    vocab_size: VOCABULARY,
  },
};

const write = (name, text) => writeFileSync(join(MODEL, name), text);
write('tokenizer.json', `${JSON.stringify(tokenizerFile())}\n`);
write('chat_template.jinja', CHAT_TEMPLATE);
for (const [name, content] of Object.entries(FILES)) write(name, `${JSON.stringify(content, null, 2)}\n`);
