/**
 * Gemma 3 for text (arXiv 2503.19786), as transformers' `modeling_gemma3.py`: Gemma 2 with normalised heads instead of
 * soft-capped scores (transformers passes over `attn_logit_softcapping`), five sliding layers for each full one, and
 * rotary frequencies of their own for the sliding layers.
 */
import { PLAIN, readRope, ropeOfKind } from '../../config/rope.js';
import { writeLayerTypes, writeShape } from '../../config/shape.js';
import { type Family, fullAndSliding, rms, rotaryOf } from './building-blocks.js';
import { gemmaBlock, gemmaFrame, readGemma, writeGemma } from './gemma2.js';

export const gemma3: Family = {
  modelType: 'gemma3_text',
  className: 'Gemma3ForCausalLM',
  classifierName: 'Gemma3TextForSequenceClassification',
  read(config) {
    const pattern = config.whole('sliding_window_pattern', 6);
    const gemma = readGemma(config, (layer) => (layer + 1) % pattern !== 0);
    const half = gemma.headDim / 2;
    const far = { ...PLAIN, theta: 1_000_000 };
    const near = { ...PLAIN, thetaField: 'rope_local_base_freq' };
    const own = ropeOfKind(config, 'sliding_attention');
    const local = own && readRope(own, half, near);
    if (local?.ropeScaling !== undefined)
      config.unsupported('rope_parameters', 'those of sliding_attention must be of type default');
    return {
      architecture: 'gemma3',
      ...gemma,
      ...readRope(ropeOfKind(config, 'full_attention') ?? config, half, far),
      localRopeTheta: local?.ropeTheta ?? config.positive(near.thetaField, near.theta),
      ...(config.has('final_logit_softcapping')
        ? { logitCap: config.optional('final_logit_softcapping') }
        : {}),
    };
  },
  blueprint(config) {
    const { attention, mlp } = gemmaBlock(config);
    const norm = (module: string) => rms(module, config.normEpsilon, 1);
    const headNorms = { q: norm('self_attn.q_norm'), k: norm('self_attn.k_norm') };
    const { layers, blocks } = fullAndSliding(config, { ...attention, headNorms }, mlp);
    const local = {
      ...rotaryOf(config),
      theta: config.localRopeTheta ?? config.ropeTheta,
      scaling: undefined,
    };
    const { sliding, ...rest } = blocks;
    return {
      ...gemmaFrame(config),
      layers,
      blocks: {
        ...rest,
        ...(sliding === undefined
          ? {}
          : { sliding: { ...sliding, attention: { ...sliding.attention, rotary: local } } }),
      },
    };
  },
  write: (config) => ({
    ...writeShape(config),
    ...writeLayerTypes(config),
    ...writeGemma(config),
    final_logit_softcapping: config.logitCap ?? null,
    rope_local_base_freq: config.localRopeTheta,
  }),
};
