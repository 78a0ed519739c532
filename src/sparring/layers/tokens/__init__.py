"""Networks on sequences of tokens, which several modalities use."""
