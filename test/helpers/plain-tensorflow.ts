/**
 * Required before the tests: `auto` chooses by what was measured on this machine, and what a plan comes to must not hang on
 * that. With an uncompiled TensorFlow nothing is measured, and `auto` is ONNX Runtime.
 */
process.env['FTPC_TENSORFLOW'] ??= 'plain';
