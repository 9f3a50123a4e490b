import { type Needs, startingWith } from '../../language/host/child-environment.js';

/** What a Python process with PyTorch gets of the environment besides what every process gets. */
export const pythonNeeds: Needs = startingWith([
  ...['PYTHON', 'VIRTUAL_ENV', 'CONDA_', 'PYTORCH_', 'TORCH', 'TRITON_', 'GLOO_', 'UCX_', 'FI_', 'BNB_'],
  ...['BITSANDBYTES_', 'TRANSFORMERS_', 'ACCELERATE_', 'SAFETENSORS_', 'DEEPSPEED_', 'DS_'],
]);
