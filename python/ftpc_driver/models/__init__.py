"""Models of transformers with adapters of PEFT: loading, names, structure."""
