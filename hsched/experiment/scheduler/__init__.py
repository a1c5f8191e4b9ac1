"""The longer import paths of the model's pages."""
