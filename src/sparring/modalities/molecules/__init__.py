"""Molecules: written as SMILES, one token after the other."""
